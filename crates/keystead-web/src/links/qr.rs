//! QR codes, drawn by the server.

use qrcode::{Color, QrCode};

/// Modules around a code that stay light, for whoever reads it.
const QUIET: usize = 4;

/// A code of an address: how many units it is wide and high, and the path of its dark ones. `None` where it is too long for one.
pub(super) fn code(address: &str) -> Option<(usize, String)> {
    let code = QrCode::new(address).ok()?;
    let width = code.width();
    let colors = code.to_colors();
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        // What is dark together is drawn together.
        for run in row.chunk_by(|one, next| one == next) {
            if run[0] == Color::Dark {
                let (left, top, length) = (x + QUIET, y + QUIET, run.len());
                path.push_str(&format!("M{left} {top}h{length}v1h-{length}z"));
            }
            x += run.len();
        }
    }
    Some((width + 2 * QUIET, path))
}

/// The same as a file.
pub(super) fn file(address: &str) -> Option<String> {
    let (width, path) = code(address)?;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {width}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{width}v{width}H0z\"/><path d=\"{path}\"/></svg>\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_a_quiet_edge() {
        let (width, path) = code("https://crm.example/l/spring-26").unwrap();
        // Version 3 has 29 modules.
        assert_eq!(width, 29 + 2 * QUIET);
        for corner in ["M4 4h7v1h-7z", "M26 4h7v1h-7z", "M4 26h7v1h-7z"] {
            assert!(path.contains(corner), "{corner}: {path}");
        }
        assert!(!path.contains("M0 ") && !path.contains(" 0h"));
        assert!(code(&"x".repeat(5_000)).is_none());
    }
}
