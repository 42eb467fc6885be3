use super::*;

const KEY: &str = "ks_location_Hq3vT0bZk9Wd_8sFvN1cQyT5rLz0aGmXe4UoKpBi7WdJh3Qdrl0";
const AGENCY: &str = "ks_agency_000000000000_000000000000000000000000000000002I50oW";

fn ids(bytes: &[u8]) -> Vec<String> {
    find_keys(bytes).map(|key| key.id.to_string()).collect()
}

#[test]
fn keys_are_found_where_they_stand() {
    let text = format!("A=\"{KEY}\"\n\u{fe0f}{AGENCY}\nks_ks_location_x");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&[0xff, 0x00]);
    bytes.extend_from_slice(KEY.as_bytes());
    let found: Vec<_> = find_keys(&bytes).map(|key| (key.at, key.last_four)).collect();
    let second = 3 + KEY.len() + 2 + 3;
    assert_eq!(
        found,
        [
            (3, "drl0".to_owned()),
            (second, "0oW".to_owned().replace("0oW", "50oW")),
            (bytes.len() - KEY.len(), "drl0".to_owned())
        ]
    );
}

#[test]
fn a_key_needs_no_boundary_around_it() {
    for text in [
        format!("%20{KEY}"),
        format!("\\n{KEY}\\n"),
        format!("\\u0022{KEY}\\u0022"),
        format!("&quot;{KEY}&quot;"),
        format!("\u{1b}[32m{KEY}\u{1b}[0m"),
        format!("x{KEY}y"),
        format!("_{KEY}_"),
        format!("3D{KEY}="),
        format!("{KEY}{KEY}"),
    ] {
        assert_eq!(ids(text.as_bytes())[0], "Hq3vT0bZk9Wd", "{text}");
    }
    assert_eq!(ids(format!("{KEY}{AGENCY}").as_bytes()).len(), 2);
}

#[test]
fn keys_are_found_however_a_file_escapes_them() {
    for underscore in [
        "%5F",
        "%5f",
        "%255F",
        "%25255f",
        "\\_",
        "\\\\_",
        "\\u005f",
        "\\u005F",
        "\\\\u005f",
        "\\x5f",
        "&#95;",
        "&#x5F;",
        "&lowbar;",
        "=5F",
        "&#x005F;",
        "&#095;",
        "&amp;#95;",
        "\\u{5f}",
        "\\x{5F}",
        "\\U0000005F",
        "\\137",
        "%u005f",
    ] {
        let text = format!("before {} after", KEY.replace('_', underscore));
        assert_eq!(ids(text.as_bytes()), ["Hq3vT0bZk9Wd"], "{text}");
    }
    let all = |escape: &dyn Fn(u32) -> String| KEY.chars().map(|c| escape(u32::from(c))).collect::<String>();
    for text in [
        all(&|code| format!("%{code:02X}")),
        all(&|code| format!("\\u{code:04x}")),
        all(&|code| format!("&#{code};")),
        all(&|code| format!("\\{code:03o}")),
    ] {
        assert_eq!(ids(text.as_bytes()), ["Hq3vT0bZk9Wd"], "{text}");
        assert_eq!(whole_keys(&text).collect::<Vec<_>>(), [KEY]);
    }
    // Wrapped by a mail, a script, a terminal, an editor.
    for wrap in ["=\r\n", "=\n", "\\\n", "\u{1b}[0m\u{1b}[1;31m", "\n", "\r\n", "\n> ", "\n    ", "\u{200b}", "<wbr>"] {
        for place in [1, 2, 3, 7, 12, 20, 25, 40, KEY.len() - 1] {
            let text = format!("{}{wrap}{}", &KEY[..place], &KEY[place..]);
            assert_eq!(ids(text.as_bytes()), ["Hq3vT0bZk9Wd"], "{text:?}");
        }
    }
}

#[test]
fn keys_are_found_in_utf_16() {
    let text = format!("pass: {KEY}, {AGENCY}");
    for (bytes, name) in [
        (text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), "little endian"),
        (text.encode_utf16().flat_map(u16::to_be_bytes).collect(), "big endian"),
    ] {
        assert_eq!(ids(&bytes), ["Hq3vT0bZk9Wd", "000000000000"], "{name}");
        assert_eq!(ids(&[&[b'x'][..], &bytes].concat()).len(), 2, "{name}, at an odd place");
    }
}

#[test]
fn what_is_no_whole_key_is_none() {
    for none in [
        KEY.replace("8s", "8t"),
        KEY[1..].to_owned(),
        KEY[..KEY.len() - 1].to_owned(),
        KEY.replace('_', "-"),
        KEY.replace("location", "agency"),
        KEY.to_uppercase(),
        format!("{} {}", &KEY[..30], &KEY[30..]),
        "ks_ks_ks_location_ks_".to_owned(),
        "k".repeat(100_000),
        "ks_location_".repeat(10_000),
    ] {
        assert_eq!(find_keys(none.as_bytes()).count(), 0, "{none:.80}");
    }
}
