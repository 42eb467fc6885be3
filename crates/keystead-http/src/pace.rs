//! How long clients may take: for the head of a request, its body, reading the answer, and doing nothing.
//!
//! Every face is behind these limits, so no handler can forget one. What a connection does is noted at its seat; the
//! accept loop looks at all seats now and then. (hyper's own timer does not run on a connection whose last request
//! made it wait.)

use std::{
    error::Error,
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use crate::room::{Seat, Stage};

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For the line and headers of a request, from its first byte on, or from when it connected.
    pub head: Duration,
    /// For a body, and for reading an answer.
    pub transfer: Duration,
    /// Bytes that buy a second more for a transfer, so that slow lines get through and those who drip do not.
    pub least_rate: u64,
    /// For doing nothing between two requests.
    pub idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            transfer: Duration::from_secs(30),
            least_rate: 16 * 1024,
            idle: Duration::from_secs(75),
        }
    }
}

impl Pace {
    /// How long a transfer may take that has brought so many bytes.
    pub(crate) fn of_transfer(&self, bytes: u64) -> Duration {
        self.transfer + Duration::from_millis(bytes.saturating_mul(1000) / self.least_rate.max(1))
    }

    /// How often to look whether somebody is late.
    pub(crate) fn look_every(&self) -> Duration {
        let shortest = self.head.min(self.transfer).min(self.idle);
        (shortest / 10).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}

/// A connection that notes at its seat what its client does.
pub(crate) struct SeatedStream {
    stream: TcpStream,
    seat: Arc<Seat>,
    /// Whether the client is still to read what we have written.
    is_read: bool,
}

impl SeatedStream {
    pub(crate) fn new(stream: TcpStream, seat: Arc<Seat>) -> Self {
        Self { stream, seat, is_read: true }
    }
}

impl AsyncRead for SeatedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        if self.seat.stage() == Stage::Idle && buffer.filled().len() > before {
            self.seat.enter(Stage::Head);
        }
        Poll::Ready(outcome)
    }
}

impl AsyncWrite for SeatedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        match &outcome {
            Poll::Pending if self.is_read => {
                self.is_read = false;
                self.seat.transfer_begins();
            }
            Poll::Ready(Ok(written)) if !self.is_read => self.seat.transferred(*written as u64),
            _ => {}
        }
        outcome
    }

    /// Called when everything was handed to the client's side.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_read {
            self.is_read = true;
            self.seat.transfer_ends();
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Why a body ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFailure {
    /// It did not arrive in time.
    TooSlow,
    /// The connection broke.
    Broken,
}

impl fmt::Display for BodyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSlow => "the body did not arrive in time",
            Self::Broken => "the connection broke",
        })
    }
}

impl Error for BodyFailure {}

/// The body of a request, which must arrive in time. It has a timer of its own, so that a client that is late is told.
pub struct RequestBody {
    /// Nowhere else before this is dropped.
    body: Option<Incoming>,
    seat: Arc<Seat>,
    pace: Pace,
    arriving: Option<Arriving>,
    left: Left,
}

/// Where a body goes that was not read to its end.
#[derive(Clone, Default)]
pub(crate) struct Left(Arc<Mutex<Option<Incoming>>>);

impl Left {
    pub(crate) fn take(&self) -> Option<Incoming> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A body of which something is still to come.
struct Arriving {
    begun: Instant,
    bytes: u64,
    deadline: Pin<Box<Sleep>>,
}

impl RequestBody {
    pub(crate) fn new(body: Incoming, seat: Arc<Seat>, pace: Pace, left: Left) -> Self {
        Self { body: Some(body), seat, pace, arriving: None, left }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            if let (Some(arriving), Some(Ok(frame))) = (&mut this.arriving, &frame) {
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                arriving.bytes += bytes;
                this.seat.transferred(bytes);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(|_| BodyFailure::Broken)));
        }
        let arriving = this.arriving.get_or_insert_with(|| {
            this.seat.transfer_begins();
            let begun = Instant::now();
            Arriving { begun, bytes: 0, deadline: Box::pin(sleep_until(begun + this.pace.of_transfer(0))) }
        });
        loop {
            ready!(arriving.deadline.as_mut().poll(context));
            // What came meanwhile has bought time.
            let deadline = arriving.begun + this.pace.of_transfer(arriving.bytes);
            if deadline <= Instant::now() {
                return Poll::Ready(Some(Err(BodyFailure::TooSlow)));
            }
            arriving.deadline.as_mut().reset(deadline);
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let body = self.body.take().filter(|body| !body.is_end_stream());
        *self.left.0.lock().unwrap_or_else(PoisonError::into_inner) = body;
        if self.arriving.is_some() {
            self.seat.transfer_ends();
        }
    }
}

/// The body of an answer; the client may send its next request when it has ended.
pub(crate) struct AnswerBody<B> {
    body: B,
    seat: Arc<Seat>,
}

impl<B> AnswerBody<B> {
    pub(crate) fn new(body: B, seat: Arc<Seat>) -> Self {
        Self { body, seat }
    }
}

impl<B> Drop for AnswerBody<B> {
    fn drop(&mut self) {
        self.seat.enter(Stage::Idle);
    }
}

impl<B: Body + Unpin> Body for AnswerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
