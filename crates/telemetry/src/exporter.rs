//! Sends spans to an OpenTelemetry collector, off the way of every run.
//!
//! A run hands its spans over and goes on. They wait in a queue of bounded size; what does not fit
//! is dropped and counted, and so is a batch that the collector does not take: a run never waits
//! for whoever watches. After a failure the exporter stays away for a while, longer each time.
//!
//! The collector is the operator's: its address is no tenant's to choose, so the egress rule is not
//! asked. It is reached over TLS alone, with a configuration made in `keys`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, sync::mpsc, time};
use tokio_rustls::TlsConnector;
use url::Url;

use crate::{
    Span, Telemetry,
    otlp::{Resource, encode},
};

/// Spans that may wait.
const QUEUE_SPANS_MAX: usize = 8_192;
/// Spans after which a batch is not filled further.
const BATCH_SPANS: usize = 512;
/// A batch that is not full is sent after this long.
const BATCH_TIME: Duration = Duration::from_secs(1);
/// A batch must be taken within this time.
const SEND_MAX: Duration = Duration::from_secs(10);
/// After the first failure, and at most.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// For all that is left when the process ends.
const LAST_MAX: Duration = Duration::from_secs(5);

/// Takes spans of ended runs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tracer {
    queue: mpsc::UnboundedSender<Vec<Span>>,
    waiting: Arc<AtomicUsize>,
}

/// The other end of a [`Tracer`].
#[derive(Debug)]
pub struct Exporter {
    queue: mpsc::UnboundedReceiver<Vec<Span>>,
    waiting: Arc<AtomicUsize>,
    /// Spans of the batch that is being filled.
    held: Vec<Span>,
}

/// Where spans go.
#[derive(Clone)]
pub struct Collector {
    host: String,
    port: u16,
    name: ServerName<'static>,
    path: String,
    tls: TlsConnector,
    /// Tells this node's spans from those of others.
    instance: String,
}

/// The address of a collector cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCollector(&'static str);

impl std::fmt::Display for InvalidCollector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for InvalidCollector {}

impl Collector {
    /// A collector by its base address, such as `https://collector.example:4318`; spans go to
    /// `v1/traces` below it. `tls` verifies the collector.
    pub fn new(address: &str, tls: Arc<rustls::ClientConfig>, instance: String) -> Result<Self, InvalidCollector> {
        let wrong = |_| InvalidCollector("the collector's address is no https address");
        let url = Url::parse(address).map_err(|_| InvalidCollector("the collector's address is no URL"))?;
        if url.scheme() != "https" {
            return Err(InvalidCollector("spans go to a collector over https alone"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidCollector("the collector's address is host, port and path, nothing else"));
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self {
            name: ServerName::try_from(host.clone()).map_err(wrong)?,
            host,
            port: url.port().unwrap_or(4318),
            path: format!("{}/v1/traces", url.path().trim_end_matches('/')),
            tls: tls.into(),
            instance,
        })
    }

    async fn send(&self, spans: &[Span]) -> Result<(), &'static str> {
        let resource = Resource { service: "lockgate", version: env!("CARGO_PKG_VERSION"), instance: &self.instance };
        let body = encode(&resource, spans);
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|_| "no connection")?;
        let tls = self.tls.connect(self.name.clone(), tcp).await.map_err(|_| "it did not prove its identity")?;
        let (mut to, connection) = http1::handshake(TokioIo::new(tls)).await.map_err(|_| "no connection")?;
        let connection = Aborts(tokio::spawn(connection));
        let authority = match self.name {
            ServerName::IpAddress(_) if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            _ => format!("{}:{}", self.host, self.port),
        };
        let request = Request::post(&self.path)
            .header(header::HOST, authority)
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"))
            .header(header::USER_AGENT, HeaderValue::from_static("lockgate"))
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| "its address makes no request")?;
        let answer = to.send_request(request).await.map_err(|_| "it broke off")?;
        drop(connection);
        if answer.status().is_success() { Ok(()) } else { Err("it refused") }
    }
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// A connection's task ends with what it was for.
struct Aborts<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Aborts<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Tracer {
    /// A tracer and its exporter.
    pub fn new() -> (Self, Exporter) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        (Self { queue: sender, waiting: waiting.clone() }, Exporter { queue: receiver, waiting, held: Vec::new() })
    }

    /// Takes the spans of a run; drops and counts them where the queue is full.
    pub fn take(&self, spans: Vec<Span>, telemetry: &Telemetry) {
        let count = spans.len();
        if self.waiting.fetch_add(count, Ordering::Relaxed) + count > QUEUE_SPANS_MAX {
            self.waiting.fetch_sub(count, Ordering::Relaxed);
            telemetry.metrics.spans_dropped("queue", count);
        } else if self.queue.send(spans).is_err() {
            telemetry.metrics.spans_dropped("queue", count);
        }
    }
}

impl Exporter {
    /// Sends until `stop`, and then what is left, for a few seconds.
    pub async fn run(mut self, collector: Collector, telemetry: Arc<Telemetry>, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut pause = PAUSE;
        let mut failing = false;
        loop {
            let batch = tokio::select! {
                () = &mut stop => break,
                batch = self.batch() => batch,
            };
            let Some(batch) = batch else { return };
            // Not cut off by `stop`: what was begun is brought to its end.
            let sent = send(&collector, &batch, &telemetry).await;
            match sent {
                Ok(()) => {
                    if std::mem::take(&mut failing) {
                        tracing::info!("the trace collector takes spans again");
                    }
                    pause = PAUSE;
                }
                Err(reason) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(reason, "the trace collector does not take spans; they are dropped");
                    }
                    tokio::select! {
                        () = &mut stop => break,
                        () = time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
        self.queue.close();
        let rest = async {
            while let Some(batch) = self.batch().await {
                let _ = send(&collector, &batch, &telemetry).await;
            }
        };
        let _ = time::timeout(LAST_MAX, rest).await;
    }

    /// Spans for one request: waits for the first, and a little for more. Dropping the future loses
    /// nothing.
    async fn batch(&mut self) -> Option<Vec<Span>> {
        if self.held.is_empty() {
            self.held = self.queue.recv().await?;
        }
        let until = time::Instant::now() + BATCH_TIME;
        while self.held.len() < BATCH_SPANS {
            match time::timeout_at(until, self.queue.recv()).await {
                Ok(Some(more)) => self.held.extend(more),
                Ok(None) | Err(_) => break,
            }
        }
        self.waiting.fetch_sub(self.held.len(), Ordering::Relaxed);
        Some(std::mem::take(&mut self.held))
    }
}

async fn send(collector: &Collector, batch: &[Span], telemetry: &Telemetry) -> Result<(), &'static str> {
    let sent = time::timeout(SEND_MAX, collector.send(batch)).await.unwrap_or(Err("it took too long"));
    match sent {
        Ok(()) => telemetry.metrics.spans_exported(batch.len()),
        Err(_) => telemetry.metrics.spans_dropped("collector", batch.len()),
    }
    sent
}

#[cfg(test)]
mod tests {
    use lockgate_model::{
        Timestamp,
        trace::{SpanId, TraceId},
    };

    use super::*;
    use crate::{Gauges, SpanKind};

    fn span() -> Span {
        Span {
            trace: TraceId::new([1; 16]).unwrap(),
            id: SpanId::new([2; 8]).unwrap(),
            parent: None,
            name: "run".into(),
            kind: SpanKind::Internal,
            start: Timestamp(0),
            end: Timestamp(1),
            failed: false,
            attributes: Vec::new(),
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_dropped_and_counted() {
        let telemetry = Telemetry::new(Timestamp(0));
        let (tracer, mut exporter) = Tracer::new();
        for _ in 0..QUEUE_SPANS_MAX {
            tracer.take(vec![span(); 2], &telemetry);
        }
        let dropped = |spans: usize| {
            let line = format!("lockgate_spans_dropped_total{{reason=\"queue\"}} {spans}");
            assert!(telemetry.metrics.page(Gauges::default()).lines().any(|l| l == line), "no `{line}`");
        };
        dropped(QUEUE_SPANS_MAX);
        // What was taken away makes room.
        let batch = exporter.batch().await.unwrap();
        assert!((BATCH_SPANS..BATCH_SPANS + 2).contains(&batch.len()), "{}", batch.len());
        tracer.take(vec![span(); 2], &telemetry);
        dropped(QUEUE_SPANS_MAX);
        // And nobody at the other end is no reason to wait or to fail.
        drop(exporter);
        tracer.take(vec![span()], &telemetry);
        dropped(QUEUE_SPANS_MAX + 1);
    }
}
