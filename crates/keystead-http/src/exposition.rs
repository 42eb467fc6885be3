//! Figures as the text that Prometheus reads (OpenMetrics).

use std::{collections::BTreeMap, fmt};

use keystead_core::{BOUNDS, Distribution, Figure, Reading};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet, text::encode},
    metrics::MetricType,
    registry::Registry,
};

/// The text.
pub fn expose(figures: Vec<Figure>) -> String {
    let mut by_name: BTreeMap<&'static str, Vec<Figure>> = BTreeMap::new();
    for figure in figures {
        by_name.entry(figure.name).or_default().push(figure);
    }
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Figures(by_name)));
    let mut text = String::new();
    if let Err(error) = encode(&mut text, &registry) {
        tracing::error!(%error, "the metrics cannot be written");
    }
    text
}

#[derive(Debug)]
struct Figures(BTreeMap<&'static str, Vec<Figure>>);

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, figures) in &self.0 {
            let Some(first) = figures.first() else { continue };
            let kind = match first.reading {
                Reading::Counter(_) => MetricType::Counter,
                Reading::Gauge(_) => MetricType::Gauge,
                Reading::Durations(_) => MetricType::Histogram,
            };
            let mut family = encoder.encode_descriptor(name, first.help, None, kind)?;
            for figure in figures {
                let mut metric = family.encode_family(&figure.labels)?;
                match &figure.reading {
                    Reading::Counter(value) => metric.encode_counter::<NoLabelSet, _, f64>(value, None)?,
                    Reading::Gauge(value) => metric.encode_gauge(value)?,
                    Reading::Durations(Distribution { classes, seconds }) => {
                        let ends = BOUNDS.iter().copied().chain([f64::INFINITY]);
                        let classes: Vec<(f64, u64)> = ends.zip(classes.iter().copied()).collect();
                        let count = classes.iter().map(|(_, count)| count).sum();
                        metric.encode_histogram::<NoLabelSet>(*seconds, count, &classes, None)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use keystead_core::Durations;

    use super::*;

    #[test]
    fn figures_become_the_text_of_their_kind() {
        let took = Durations::default();
        took.add(Duration::from_millis(4));
        took.add(Duration::from_secs(60));
        let text = expose(vec![
            Figure::counter("a", "Things", 3.0).of("kind", "x\"y"),
            Figure::durations("took_seconds", "How long", took.distribution()),
            Figure::gauge("level", "How high", 0.5),
            Figure::counter("a", "Things", 4.0).of("kind", "z"),
        ]);
        let expected = [
            "# HELP a Things",
            "# TYPE a counter",
            "a_total{kind=\"x\\\"y\"} 3.0",
            "a_total{kind=\"z\"} 4.0",
            "# TYPE level gauge",
            "level 0.5",
            "# TYPE took_seconds histogram",
            "took_seconds_sum 60.004",
            "took_seconds_count 2",
            "took_seconds_bucket{le=\"0.0025\"} 0",
            "took_seconds_bucket{le=\"0.005\"} 1",
            "took_seconds_bucket{le=\"10.0\"} 1",
            "took_seconds_bucket{le=\"+Inf\"} 2",
            "# EOF",
        ];
        for line in expected {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
