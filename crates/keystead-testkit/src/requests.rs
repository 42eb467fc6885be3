//! Requests that read like sentences: `app.post("/contacts/").key(&key).json(…).send().await`.

use std::{fmt::Write as _, time::Duration};

use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{TestApp, TestKey, conformance::deviations, described::undocumented};

/// Sends bytes as they are and returns the status of the answer, 0 for a closed connection.
pub async fn raw(app: &TestApp, request: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(app.address).await.expect("a connection");
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), async {
        let mut chunk = [0; 4096];
        while !answer.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(count) => answer.extend_from_slice(&chunk[..count]),
            }
        }
    });
    read.await.expect("no hang");
    String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// A part of a form: its name, of a file that of the file and its media type, and its content.
pub type Part<'p> = (&'p str, Option<(&'p str, &'p str)>, &'p str);

/// A request that is being put together.
pub struct Call(pub(crate) RequestBuilder);

/// What came back.
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub text: String,
}

impl Call {
    /// With a key.
    pub fn key(self, key: &TestKey) -> Self {
        self.header("Authorization", &format!("Bearer {}", key.secret))
    }

    /// With a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// With a query.
    pub fn query(self, fields: &[(&str, &str)]) -> Self {
        Self(self.0.query(fields))
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    /// With any body.
    pub fn body(self, kind: &str, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.header("Content-Type", kind).body(body))
    }

    /// With a form.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        Self(self.0.form(fields))
    }

    /// With a form of texts and of files.
    pub fn multipart(self, parts: &[Part<'_>]) -> Self {
        const BOUNDARY: &str = "a-boundary-of-tests";
        let mut body = String::new();
        for (name, file, content) in parts {
            let _ = write!(body, "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
            if let Some((file, kind)) = file {
                let _ = write!(body, "; filename=\"{file}\"\r\nContent-Type: {kind}");
            }
            let _ = write!(body, "\r\n\r\n{content}\r\n");
        }
        let _ = write!(body, "--{BOUNDARY}--\r\n");
        self.body(&format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }

    /// Sends it.
    ///
    /// A success that deviates from the published contract fails the test, and any answer of the APIs that their own
    /// documents do not have; and a failure whose body says another status than the answer has.
    pub async fn send(self) -> Answer {
        let (client, request) = self.0.build_split();
        let request = request.expect("a request");
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let version = request.headers().get("version").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let response = client.execute(request).await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer { status, headers, text: response.text().await.expect("a body") };
        if answer.is_ok() {
            let deviations = deviations(&method, &path, version.as_deref(), status, &answer.text);
            assert!(deviations.is_empty(), "{deviations:#?}\n{}", answer.text);
        }
        if !answer.is_ok()
            && let Ok(Value::Object(said)) = serde_json::from_str(&answer.text)
            && let Some(code) = said.get("statusCode")
        {
            assert_eq!(*code, status, "the body says another status: {}", answer.text);
        }
        let undocumented = undocumented(&method, &path, version.as_deref(), status, &answer.text);
        assert!(undocumented.is_empty(), "{undocumented:#?}\n{}", answer.text);
        answer
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text))
    }

    /// The body as JSON, of an answer that must have this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// A header's text, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether it is a success.
    pub fn is_ok(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success())
    }
}
