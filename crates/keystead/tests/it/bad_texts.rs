//! Texts that break things elsewhere, one or two of each kind that is known to.

/// More than a name may have, and more than most texts.
const LENGTHS: [usize; 2] = [101, 5_001];

/// All of them.
pub(crate) fn all() -> Vec<String> {
    let long = LENGTHS.map(|length| "x".repeat(length));
    BAD.iter().map(|text| (*text).to_owned()).chain(long).chain(["e\u{301}".repeat(60), "👩‍👩‍👧‍👦".repeat(30)]).collect()
}

/// The short ones.
pub(crate) const BAD: &[&str] = &[
    // Nothing, and what looks like it.
    "",
    " ",
    "\t\r\n",
    "\u{a0}",
    "\u{200b}\u{feff}",
    "\u{2800}\u{3164}",
    "null",
    "undefined",
    // Characters that control something.
    "\u{0}",
    "a\u{0}b",
    "a\u{1}\u{8}\u{1b}[31mb\u{7f}",
    "a\u{85}b",
    "line\r\nSet-Cookie: a=b",
    "\u{feff}after a mark of the byte order",
    "a\u{202e}gpj.exe",
    "\u{2066}\u{2067}isolated\u{2069}",
    "a\u{ad}b\u{200d}c\u{2060}d\u{34f}e",
    "a\u{2028}b\u{2029}c",
    "\u{e0001}\u{e0041}\u{e007f}tagged",
    "\u{fffd}\u{fffe}\u{ffff}\u{10ffff}",
    // Scripts and pictures.
    "Z\u{351}\u{36b}\u{343}a\u{327}\u{311}l\u{300}\u{34e}g\u{353}\u{301}o\u{321}\u{35a}",
    "ﷺ ﷽",
    "שָׁלוֹם abc مرحبا 123",
    "İstanbul ıI ẞß ﬁ Ǆǅ",
    "Ⅷ ① ２ ﹪ ℃",
    "𝒳𝓎 🄰 𐍈 𠜎",
    "👩🏽‍🚀👨‍👩‍👧‍👦🏴󠁧󠁢󠁳󠁣󠁴󠁿🇩🇪☝️",
    "ᄀᆨ 각 が か\u{3099} å a\u{30a}",
    "раураl admin аdmin",
    // What is a program somewhere.
    "'; DROP TABLE contacts; --",
    "\" OR \"\"=\"",
    "$1 ?1 :a @b",
    "%' OR name LIKE '_%",
    "\\",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "&lt;b&gt; &#x27; &amp;amp;",
    "{{7*7}} {% raw %} ${7*7} #{7*7} <%= 7 %>",
    "{{contact.first_name}} {{custom_values.x}}",
    "; rm -rf / && $(id) `id` | cat",
    "../../../../etc/passwd",
    "javascript:alert(1)",
    "https://good.example@127.0.0.1/",
    "=1+1",
    "@SUM(A1)\t+1\t-1",
    "a,\"b\";c\n|d",
    "%s %n %00 %0d%0a %ff",
    "a%20b+c&d=e#f?g",
    "{\"id\":1}",
    // Numbers and times.
    "0",
    "1e400",
    "NaN",
    "9223372036854775808",
    "0x1F",
    "١٢٣",
    "2025-02-29T24:61:60Z",
    // What is ours.
    "00000000000000000000",
    "a@b",
    "\"a b\"@example.com, x@y.zz",
    "+0 000",
    "Bearer ks_location_Hq3vT0bZk9Wd_8sFvN1cQyT5rLz0aGmXe4UoKpBi7WdJh3Qdrl0",
];
