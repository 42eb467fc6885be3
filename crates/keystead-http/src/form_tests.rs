use http_body_util::StreamBody;
use hyper::body::Frame;

use super::*;

const KIND: &str = "multipart/form-data; boundary=b";

/// A text, and a file with so many bytes.
fn form_of(bytes: usize) -> Vec<u8> {
    let head = |name: &str, more: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
    let file = head("file", "; filename=\"a.txt\"\r\nX-More: x");
    [head("title", "").as_bytes(), b"\r-\r\n-\r\n", file.as_bytes(), &vec![b'\r'; bytes], b"\r\n--b--\r\n"].concat()
}

/// Reads a form that arrives in frames of so many bytes.
async fn read(form: &[u8], frame: usize) -> Result<Form, FormError> {
    let frames: Vec<_> =
        form.chunks(frame).map(|bytes| Ok::<_, io::Error>(Frame::data(Bytes::copy_from_slice(bytes)))).collect();
    read_form(StreamBody::new(futures_util::stream::iter(frames)), KIND, 1_000_000, Names::Refused).await
}

#[tokio::test]
async fn a_form_is_the_same_however_it_arrives() {
    let form = form_of(300_000);
    let whole = read(&form, form.len()).await.unwrap();
    assert_eq!((whole.texts[0].1.as_str(), whole.files[0].1.length), ("\r-\r\n-", 300_000));
    for frame in [3, 700, 4096, PIECE, PIECE + 1] {
        let parted = read(&form, frame).await.unwrap();
        assert_eq!(parted.digest, whole.digest, "frames of {frame}");
    }
    assert!(matches!(read(&form[..form.len() - 8], 1000).await, Err(FormError::Malformed(_))));
    // A head of some KB, and one that is too long.
    for (length, is_read) in [(PIECE - 200, true), (4 * PIECE, false)] {
        let text =
            String::from_utf8(form_of(10)).unwrap().replace("X-More: x", &format!("X-More: {}", "x".repeat(length)));
        for frame in [1, 1000, text.len()] {
            assert_eq!(read(text.as_bytes(), frame).await.is_ok(), is_read, "{length} in frames of {frame}");
        }
    }
}

#[tokio::test]
async fn a_file_in_memory_has_its_room_as_long_as_it_lives() {
    // More than the other tests here take together.
    const FILES: usize = 10;
    let form = form_of(90_000);
    let files = form[..form.len() - "--b--\r\n".len()].repeat(FILES);
    let Form { files, .. } = read(&[&files[..], b"--b--\r\n"].concat(), 4096).await.unwrap();
    let taken = || crate::body::IN_MEMORY.load(Relaxed);
    assert!(taken() >= FILES * 90_000, "{}", taken());
    drop(files);
    assert!(taken() < FILES * 90_000, "{}", taken());
}

#[tokio::test]
async fn names_are_read_as_browsers_write_them() {
    let text = String::from_utf8(form_of(10)).unwrap();
    let text = text.replace("name=\"title\"", "name=\"a %22title%22\"").replace("a.txt", "12%22 %2F%252 100%25.txt");
    let form = read(text.as_bytes(), 1_000).await.unwrap();
    assert_eq!(form.texts[0].0, "a \"title\"");
    assert_eq!(form.files[0].1.name.as_deref(), Some("12\" %2F%252 100%25.txt"));
    // A break in a name is as wrong as ever.
    let text = String::from_utf8(form_of(10)).unwrap().replace("a.txt", "a%0D%0Ab.txt");
    assert!(matches!(read(text.as_bytes(), 1_000).await, Err(FormError::Malformed(_))));
}

#[tokio::test]
async fn too_many_parts_are_told_apart() {
    let part = |number: usize| format!("--b\r\nContent-Disposition: form-data; name=\"f{number}\"\r\n\r\nx\r\n");
    let parts = |count: usize| (0..count).map(part).collect::<String>() + "--b--\r\n";
    assert_eq!(read(parts(PARTS).as_bytes(), 10_000).await.unwrap().texts.len(), PARTS);
    assert!(matches!(read(parts(PARTS + 1).as_bytes(), 10_000).await, Err(FormError::TooMany(PARTS))));
}

#[test]
fn names_are_refused_or_mended() {
    let long = format!("{}.jpeg", "\u{e9}".repeat(200));
    for (told, mended) in [
        ("Vertrag \u{e4}.pdf", Some("Vertrag \u{e4}.pdf")),
        ("../../etc/passwd", Some("passwd")),
        ("C:\\photos\\a.png", Some("a.png")),
        ("a\u{202e}gpj.exe", Some("agpj.exe")),
        ("a\u{200f}b", Some("ab")),
        (" a\r\n ", Some("a")),
        ("..", None),
        ("a/", None),
        ("\u{7}", None),
    ] {
        assert_eq!(Names::Mended.of(told).unwrap().as_deref(), mended, "{told:?}");
        assert_eq!(Names::Refused.of(told).is_ok(), mended == Some(told), "{told:?}");
    }
    let mended = Names::Mended.of(&long).unwrap().unwrap();
    assert!(mended.len() <= 255 && mended.len() > 250 && mended.ends_with("\u{e9}.jpeg"), "{mended}");
    assert!(Names::Refused.of(&long).is_err());
}
