//! Calling an address that somebody else chose.
//!
//! What is called is judged three times: the URL, every address that DNS names for it, and the peer of the connection. A call
//! follows no redirect, takes no proxy from the environment, asks for nothing compressed and reads little of the answer, so
//! whoever answers costs a bounded time and a bounded space.

use std::{
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsConnector;

use crate::{
    resolver::Resolver,
    target::{Guard, NO_PUBLIC_ADDRESS, Place, Refusal, Target},
};

/// How long a call may take, and how much of its answer is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until DNS has answered.
    pub dns: Duration,
    /// Until there is a connection, whichever of the addresses it is to; each has its share.
    pub connect: Duration,
    /// All of it.
    pub total: Duration,
    /// Bytes of the answer's body; what follows is not read.
    pub answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            dns: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            total: Duration::from_secs(15),
            answer: 1024,
        }
    }
}

/// Bytes of the head of an answer.
const HEAD: usize = 16 * 1024;
/// Bytes that are read in all, besides those of the answer's body: certificates, heads before the last, how chunks are framed.
const MOST_READ: u64 = 64 * 1024;
/// Addresses that are tried, so that the share of each is long enough to be answered in.
const TRIED: usize = 8;

/// Headers that are the client's own.
const OWN: &[HeaderName] = &[
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
    header::ACCEPT_ENCODING,
];

/// What is to be called.
#[derive(Clone, Debug)]
pub struct Call<'c> {
    /// POST, mostly.
    pub method: Method,
    /// Where.
    pub url: &'c str,
    /// Headers; those that are the client's own are left out.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Any; a redirect is an answer like others.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// The first bytes of its body.
    pub body: Vec<u8>,
}

/// Why there is no answer. What is said of it may be shown to whoever chose the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may not be called.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// DNS does not know the name, or does not answer. It reads like a name that leads inside.
    #[error("{NO_PUBLIC_ADDRESS}")]
    Unknown(String),
    /// Nobody listens there.
    #[error("no connection could be made")]
    Unreachable,
    /// Its certificate is not good, or it speaks no TLS.
    #[error("no secure connection could be made: {0}")]
    Insecure(String),
    /// What it says is not HTTP/1, or too much of it.
    #[error("the answer could not be read")]
    Unreadable,
    /// It took too long.
    #[error("there was no answer in time")]
    TooSlow,
}

/// Calls addresses that somebody else chose; clones share it.
#[derive(Clone)]
pub struct Client {
    guard: Guard,
    resolver: Arc<Resolver>,
    tls: TlsConnector,
    limits: Limits,
}

impl Client {
    /// One that asks the name servers and believes the certificates of this machine.
    pub fn of_this_machine(guard: Guard) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::new(guard, Resolver::of_this_machine()?, roots, Limits::default())
    }

    pub(crate) fn new(guard: Guard, resolver: Resolver, roots: RootCertStore, limits: Limits) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { guard, resolver: Arc::new(resolver), tls: TlsConnector::from(Arc::new(config)), limits })
    }

    /// Calls, and reads the beginning of the answer.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let target = self.guard.target(call.url)?;
        let request = request(call, &target)?;
        let until = Instant::now() + self.limits.total;
        let called = async {
            let addresses = timeout(self.limits.dns, self.addresses(&target)).await.map_err(|_| Failure::TooSlow)??;
            let (read, write) = self.connect(&target, &addresses).await?.into_split();
            let stream = tokio::io::join(read.take(MOST_READ + self.limits.answer as u64), write);
            if !target.is_encrypted {
                return self.exchange(stream, request, until).await;
            }
            let insecure = |error: std::io::Error| Failure::Insecure(error.to_string());
            let stream = self.tls.connect(server_name(&target)?, stream).await.map_err(insecure)?;
            self.exchange(stream, request, until).await
        };
        timeout_at(until, called).await.map_err(|_| Failure::TooSlow)?
    }

    /// The addresses of a target: all of them, or none if one of them may not be called.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Failure> {
        let addresses = match &target.place {
            Place::Address(address) => vec![*address],
            Place::Name(name) => self.resolver.addresses(name).await?,
        };
        addresses.iter().try_for_each(|address| self.guard.judge(target, *address))?;
        Ok(addresses)
    }

    /// A connection to the first of the addresses that takes one. None of them uses up the time of those after it. Here they are
    /// judged again, whatever came before.
    async fn connect(&self, target: &Target, addresses: &[IpAddr]) -> Result<TcpStream, Failure> {
        let until = Instant::now() + self.limits.connect;
        let mut failure = Failure::Unreachable;
        let addresses = &addresses[..addresses.len().min(TRIED)];
        for (address, left) in addresses.iter().zip((1..=addresses.len() as u32).rev()) {
            self.guard.judge(target, *address)?;
            let share = until.saturating_duration_since(Instant::now()) / left;
            let stream = match timeout(share, TcpStream::connect(SocketAddr::new(*address, target.port))).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(_)) => continue,
                Err(_) => {
                    failure = Failure::TooSlow;
                    continue;
                }
            };
            let peer = stream.peer_addr().map_err(|_| Failure::Unreachable)?;
            self.guard.judge(target, peer.ip())?;
            let _ = stream.set_nodelay(true);
            return Ok(stream);
        }
        Err(failure)
    }

    async fn exchange<S>(&self, stream: S, request: Request<Full<Bytes>>, until: Instant) -> Result<Answer, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let unreadable = |_| Failure::Unreadable;
        let (mut sender, connection) =
            http1::Builder::new().max_buf_size(HEAD).handshake(TokioIo::new(stream)).await.map_err(unreadable)?;
        let answered = async {
            let mut response = sender.send_request(request).await.map_err(unreadable)?;
            let mut body = Vec::new();
            // Its status is the answer, however slowly the rest comes, and where it breaks off.
            while body.len() < self.limits.answer
                && let Ok(Some(Ok(frame))) = timeout_at(until, response.frame()).await
            {
                let part = frame.data_ref().map_or(&[][..], |part| part);
                body.extend_from_slice(&part[..part.len().min(self.limits.answer - body.len())]);
            }
            Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
        };
        // The connection works as long as the answer is read, and is closed with it.
        let (mut answered, mut connection) = (pin!(answered), pin!(connection));
        let mut is_over = false;
        loop {
            tokio::select! {
                biased;
                answer = &mut answered => return answer,
                _ = &mut connection, if !is_over => is_over = true,
            }
        }
    }
}

/// The name that the certificate must be for.
fn server_name(target: &Target) -> Result<ServerName<'static>, Failure> {
    match &target.place {
        Place::Address(address) => Ok(ServerName::from(*address)),
        Place::Name(name) => ServerName::try_from(name.clone()).map_err(|_| Failure::Unknown(name.clone())),
    }
}

fn request(call: Call<'_>, target: &Target) -> Result<Request<Full<Bytes>>, Failure> {
    let Call { method, url: _, mut headers, body } = call;
    for own in OWN {
        headers.remove(own);
    }
    headers.insert(header::HOST, HeaderValue::from_str(target.host()).map_err(|_| Failure::Unreadable)?);
    // One call, one connection.
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static("Keystead"));
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = target.path().parse().map_err(|_| Failure::Unreadable)?;
    *request.headers_mut() = headers;
    Ok(request)
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
