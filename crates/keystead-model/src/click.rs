//! Clicks on trigger links, and whether it was a person who made them.
//!
//! Mail scanners open every link of a message before anybody has read it, browsers load what may be opened next, and chats fetch
//! what they show. What one of these opens must start nothing. So a hit is judged some seconds after it came, from what it said
//! of itself and from what else came with it: at once, the first link that a scanner opens would count before the second tells.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
    time::Duration,
};

use crate::{ClickId, ContactId, LinkId, LinkTokenId, UtcMs, actor::Signature};

/// How a hit is answered before it is looked at more closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// It is led on, and kept.
    Hit,
    /// A browser loads ahead of a click that may never come. Led on, it would keep that answer, and the click itself would not
    /// come here.
    Ahead,
    /// An office program opens the link before it hands it to a browser. Led on, it would hand over where it came to.
    Office,
}

/// What a request says of who makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// Whether it was made as whoever opens the link makes it: by GET, or by the button of a link that has one.
    pub is_opening: bool,
    /// Whether it came encrypted. Without that, browsers say less.
    pub is_encrypted: bool,
    /// What it calls itself.
    pub agent: String,
    /// Whether it names languages.
    pub has_language: bool,
    /// What for: `navigate` of a page.
    pub fetch_mode: Option<String>,
    /// Into what: `document`.
    pub fetch_dest: Option<String>,
    /// Whether it lists brands, as Chromium does.
    pub has_brands: bool,
}

/// What came with a hit, and before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Company {
    /// How long after the message was handed over that brought the link.
    pub after_message: Option<Duration>,
    /// Links of the contact that were opened within [`Company::OF_CONTACT`] of it, itself included.
    pub links: usize,
    /// Contacts whose links the same address and agent opened within [`Company::OF_SOURCE`] of it, its own included.
    pub contacts: usize,
    /// How often the same address and agent opened the link within [`Company::OF_CONTACT`] of it as nobody who is known, itself
    /// included; beyond [`Company::BURST`] nobody counts. 0 of what a contact opens.
    pub repeats: usize,
    /// The newest Chromium that a person came with.
    pub newest_chromium: Option<i64>,
}

impl Company {
    /// How near what one contact opens is looked at together, and what nobody known opens from one place.
    pub const OF_CONTACT: Duration = Duration::from_secs(10);
    /// So often nobody opens a link within that. Several who share an address and a browser may: those in one room with a poster.
    pub const BURST: usize = 10;
    /// The same of what comes from one address by one agent.
    pub const OF_SOURCE: Duration = Duration::from_secs(60);
}

/// Why a hit may be no person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It was not made as whoever opens the link makes it.
    NotOpened,
    /// It calls itself nothing, or what no browser does.
    NoBrowser,
    /// A program that is known by its name.
    KnownProgram,
    /// It is for something else than a page that somebody looks at.
    NotAPage,
    /// A browser of today without what it says of itself.
    HeadersMissing,
    /// It names no language.
    NoLanguage,
    /// A browser much older than those that people have.
    OldBrowser,
    /// It came right after the message.
    Early,
    /// Two links of the contact at once.
    TwoLinks,
    /// More of them.
    ManyLinks,
    /// Links of several contacts from one place at once.
    SeveralContacts,
    /// Of very many.
    ManyContacts,
    /// One link again and again within seconds, from one place.
    Burst,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::NotOpened,
        Self::NoBrowser,
        Self::KnownProgram,
        Self::NotAPage,
        Self::HeadersMissing,
        Self::NoLanguage,
        Self::OldBrowser,
        Self::Early,
        Self::TwoLinks,
        Self::ManyLinks,
        Self::SeveralContacts,
        Self::ManyContacts,
        Self::Burst,
    ];

    /// `"known_program"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotOpened => "not_opened",
            Self::NoBrowser => "no_browser",
            Self::KnownProgram => "known_program",
            Self::NotAPage => "not_a_page",
            Self::HeadersMissing => "headers_missing",
            Self::NoLanguage => "no_language",
            Self::OldBrowser => "old_browser",
            Self::Early => "early",
            Self::TwoLinks => "two_links",
            Self::ManyLinks => "many_links",
            Self::SeveralContacts => "several_contacts",
            Self::ManyContacts => "many_contacts",
            Self::Burst => "burst",
        }
    }

    /// Reads [`Reason::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Who it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A person.
    Human,
    /// No person.
    Bot,
}

impl Verdict {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Human, Self::Bot];

    /// `"human"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Bot => "bot",
        }
    }

    /// Reads [`Verdict::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }
}

/// What came of looking at a hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// `None` while it has to be looked at again, at [`Look::Last`].
    pub verdict: Option<Verdict>,
    /// What speaks against a person. One thing alone does not decide.
    pub reasons: Vec<Reason>,
}

/// Which time a hit is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// After [`Look::FIRST_AFTER`].
    First,
    /// After [`Look::LAST_AFTER`], where the first left a doubt.
    Last,
}

impl Look {
    /// How long after a hit it is looked at.
    pub const FIRST_AFTER: Duration = Company::OF_CONTACT;
    /// How long after it that is done again.
    pub const LAST_AFTER: Duration = Company::OF_SOURCE;
}

/// A thing that speaks against a person.
pub struct Rule {
    /// What it is.
    pub reason: Reason,
    /// How much it counts: with [`DECIDES`] together it was no person.
    pub points: u32,
    /// Whether it is so.
    pub holds: fn(&Hit, &Company) -> bool,
}

/// Points that decide.
pub const DECIDES: u32 = 2;

/// A message was just handed over, and nobody has read it.
const EARLY: Duration = Duration::from_secs(30);
/// Links that a person does not open in so short a time.
const MANY_LINKS: usize = 3;
/// Contacts behind one address: some share one, but few the browser to the letter; and so many never.
const SEVERAL_CONTACTS: usize = 5;
const MANY_CONTACTS: usize = 30;
/// Releases of Chromium that nearly everybody has by then.
const OLD_BY: i64 = 20;
/// The newest Chromium when this was written, for instances that nobody has come to.
const KNOWN_CHROMIUM: i64 = 140;
/// No release is so far ahead of that, whatever somebody claims to have.
const NO_CHROMIUM: i64 = KNOWN_CHROMIUM + 100;

/// All rules. What is certain by itself has the points that decide.
pub static RULES: [Rule; 13] = [
    Rule { reason: Reason::NotOpened, points: 2, holds: |hit, _| !hit.is_opening },
    Rule { reason: Reason::NoBrowser, points: 2, holds: |hit, _| !Agent::of(&hit.agent).is_browser },
    Rule { reason: Reason::KnownProgram, points: 2, holds: |hit, _| Agent::of(&hit.agent).is_program },
    Rule { reason: Reason::NotAPage, points: 2, holds: |hit, _| !hit.is_for_a_page() },
    Rule { reason: Reason::HeadersMissing, points: 1, holds: |hit, _| hit.lacks_headers() },
    Rule { reason: Reason::NoLanguage, points: 1, holds: |hit, _| !hit.has_language },
    Rule { reason: Reason::OldBrowser, points: 1, holds: is_old },
    Rule {
        reason: Reason::Early,
        points: 2,
        holds: |_, company| company.after_message.is_some_and(|after| after < EARLY),
    },
    Rule { reason: Reason::TwoLinks, points: 1, holds: |_, company| (2..MANY_LINKS).contains(&company.links) },
    Rule { reason: Reason::ManyLinks, points: 2, holds: |_, company| company.links >= MANY_LINKS },
    Rule {
        reason: Reason::SeveralContacts,
        points: 1,
        holds: |_, company| (SEVERAL_CONTACTS..MANY_CONTACTS).contains(&company.contacts),
    },
    Rule { reason: Reason::ManyContacts, points: 2, holds: |_, company| company.contacts >= MANY_CONTACTS },
    Rule { reason: Reason::Burst, points: 2, holds: |_, company| company.repeats >= Company::BURST },
];

/// Looks at a hit by `rules`, which are [`RULES`] but where one is tried without another.
pub fn judge<'r>(rules: impl IntoIterator<Item = &'r Rule>, hit: &Hit, company: &Company, look: Look) -> Judgement {
    let held: Vec<&Rule> = rules.into_iter().filter(|rule| (rule.holds)(hit, company)).collect();
    let points: u32 = held.iter().map(|rule| rule.points).sum();
    let verdict = match (points, look) {
        (DECIDES.., _) => Some(Verdict::Bot),
        (0, _) | (_, Look::Last) => Some(Verdict::Human),
        (_, Look::First) => None,
    };
    Judgement { verdict, reasons: held.into_iter().map(|rule| rule.reason).collect() }
}

impl Hit {
    /// What a request says, by what its headers are; those that say something are these.
    pub fn of<'h>(is_opening: bool, is_encrypted: bool, header: impl Fn(&str) -> Option<&'h str>) -> Self {
        let text = |name| header(name).map(|value: &str| value.chars().take(LONGEST).collect::<String>());
        Self {
            is_opening,
            is_encrypted,
            agent: text("user-agent").unwrap_or_default(),
            has_language: header("accept-language").is_some_and(|value| !value.trim().is_empty()),
            fetch_mode: text("sec-fetch-mode"),
            fetch_dest: text("sec-fetch-dest"),
            has_brands: header("sec-ch-ua").is_some(),
        }
    }

    /// The Chromium that it says it is.
    pub fn chromium(&self) -> Option<i64> {
        version(&self.agent, "Chrome/").filter(|version| *version < NO_CHROMIUM)
    }

    fn is_for_a_page(&self) -> bool {
        let is_one_of =
            |sent: &Option<String>, known: &[&str]| sent.as_deref().is_none_or(|sent| known.contains(&sent));
        is_one_of(&self.fetch_mode, &["navigate"]) && is_one_of(&self.fetch_dest, &["document", "iframe"])
    }

    /// Since these releases browsers always say what a request is for, and Chromium what it is.
    fn lacks_headers(&self) -> bool {
        let is = |name, since| version(&self.agent, name).is_some_and(|version| version >= since);
        let is_chromium = is("Chrome/", 90);
        // Safari tells its own version by this name, as a view inside an app does not.
        let is_safari = self.agent.contains("Safari/") && !self.agent.contains("Chrome/") && is("Version/", 17);
        let must_say = is_chromium || is("Firefox/", 90) || is_safari;
        self.is_encrypted && (must_say && self.fetch_mode.is_none() || is_chromium && !self.has_brands)
    }
}

/// Characters of a header that are kept.
const LONGEST: usize = 400;

fn is_old(hit: &Hit, company: &Company) -> bool {
    let newest = company.newest_chromium.unwrap_or_default().max(KNOWN_CHROMIUM);
    hit.chromium().is_some_and(|chromium| chromium < newest - OLD_BY)
}

/// The number before the first dot after a name.
fn version(agent: &str, name: &str) -> Option<i64> {
    let (_, after) = agent.split_once(name)?;
    let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    after[..digits].parse().ok()
}

/// How a request is greeted, by what its headers are.
pub fn greet<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Greeting {
    let is_ahead = ["sec-purpose", "purpose", "x-moz", "x-purpose"].into_iter().any(|name| {
        let value = header(name).unwrap_or_default().to_ascii_lowercase();
        ["prefetch", "prerender", "preview"].iter().any(|ahead| value.contains(ahead))
    });
    if is_ahead {
        return Greeting::Ahead;
    }
    let agent = header("user-agent").unwrap_or_default().to_ascii_lowercase();
    if AGENTS.office.iter().any(|part| agent.contains(part)) { Greeting::Office } else { Greeting::Hit }
}

/// What is known of how programs name themselves.
struct Agents {
    people: Vec<&'static str>,
    apps: Vec<&'static str>,
    office: Vec<&'static str>,
    programs: Vec<&'static str>,
}

static AGENTS: LazyLock<Agents> = LazyLock::new(|| {
    let lines = include_str!("agents.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parts = |kind: &str| lines.clone().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' ')).collect();
    Agents { people: parts("person"), apps: parts("app"), office: parts("office"), programs: parts("program") }
});

/// What draws pages, as browsers name it.
const ENGINES: [&str; 4] = ["applewebkit", "gecko/", "trident/", "msie "];

/// What a name tells.
struct Agent {
    /// It is one that browsers have.
    is_browser: bool,
    /// It is one of a program.
    is_program: bool,
}

impl Agent {
    fn of(agent: &str) -> Self {
        let mut name = agent.to_ascii_lowercase();
        let is_app = AGENTS.apps.iter().any(|part| name.contains(part));
        // Before what people's browsers have in common with programs is taken out.
        let has_engine = ENGINES.iter().any(|engine| name.contains(engine));
        for part in &AGENTS.people {
            name = name.replace(part, "");
        }
        let is_program = AGENTS.programs.iter().any(|part| match part.strip_suffix('$') {
            Some(word) => name
                .match_indices(word)
                .any(|(at, _)| !name[at + word.len()..].starts_with(|next: char| next.is_ascii_alphabetic())),
            None => name.contains(part),
        });
        Self { is_browser: is_app || agent.starts_with("Mozilla/") && has_engine, is_program }
    }
}

/// What somebody came with, in words: `Chrome, Windows`. Empty of what is no browser.
pub fn device(agent: &str) -> String {
    let named =
        |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name);
    // Each calls itself also what it wants to be taken for.
    let browser = named(&[
        ("FBAN/", "Facebook"),
        ("FB_IAB/", "Facebook"),
        ("Instagram", "Instagram"),
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Version/", "Safari"),
    ]);
    let system = named(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Macintosh", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    let is_program = Agent::of(agent).is_program;
    browser.into_iter().chain(system).take(if is_program { 0 } else { 2 }).collect::<Vec<_>>().join(", ")
}

impl Click {
    /// What the columns of a file of clicks are.
    pub const COLUMNS: [&str; 9] =
        ["id", "at", "contact", "verdict", "reasons", "device", "network", "referrer", "started"];

    /// The cells of its row in such a file.
    pub fn cells(&self) -> [String; 9] {
        let reasons: Vec<&str> = self.reasons.iter().map(|reason| reason.as_str()).collect();
        [
            self.id.to_string(),
            self.at.to_iso(),
            self.contact.map(|contact| contact.to_string()).unwrap_or_default(),
            self.verdict.map_or("held", Verdict::as_str).to_owned(),
            reasons.join(" "),
            self.device.clone(),
            self.network.clone(),
            self.referrer.clone().unwrap_or_default(),
            self.fired_at.map(UtcMs::to_iso).unwrap_or_default(),
        ]
    }
}

/// A click on a trigger link, and what was made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Click {
    /// Its id.
    pub id: ClickId,
    /// The link.
    pub link: LinkId,
    /// Whose link of their own it was.
    pub contact: Option<ContactId>,
    /// Which of theirs.
    pub token: Option<LinkTokenId>,
    /// When.
    pub at: UtcMs,
    /// What with, in words: [`device`].
    pub device: String,
    /// From where, as far as it is kept: a /24 or a /48.
    pub network: String,
    /// The site that led there.
    pub referrer: Option<String>,
    /// Who it was; `None` while it is looked at.
    pub verdict: Option<Verdict>,
    /// Why it may have been no person.
    pub reasons: Vec<Reason>,
    /// Who said who it was, where it was not the rules.
    pub classified_by: Option<Signature>,
    /// When it started something.
    pub fired_at: Option<UtcMs>,
}

/// A link of one contact. Whoever has its token is taken for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkToken {
    /// Its id.
    pub id: LinkTokenId,
    /// The link.
    pub link: LinkId,
    /// The contact.
    pub contact: ContactId,
    /// What it was made for.
    pub source: TokenSource,
    /// When it was made.
    pub created_at: UtcMs,
    /// When the message was handed over that brings it, where that is known.
    pub handed_over_at: Option<UtcMs>,
    /// When somebody ended it.
    pub revoked_at: Option<UtcMs>,
}

/// What the link of a contact was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// A program asked for it.
    Api,
    /// A member did.
    App,
    /// A mail of ours.
    Mail,
    /// A text message of ours.
    Sms,
}

impl TokenSource {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Api, Self::App, Self::Mail, Self::Sms];

    /// `"api"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::App => "app",
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }

    /// Reads [`TokenSource::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// Characters of the token in a link of a contact: 17 of base 62 have more than 96 bits.
pub const TOKEN_LENGTH: usize = 17;

/// The part of an address that is kept: the /24 of a v4 address, the /48 of a v6 one.
pub fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => format!("{}/24", Ipv4Addr::from(v4.to_bits() & !0xff)),
        IpAddr::V6(v6) => format!("{}/48", Ipv6Addr::from(v6.to_bits() & !(u128::MAX >> 48))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_an_address_is_not_its_own() {
        for (address, network) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:4:5:6:7:8:9", "2001:db8:4::/48"),
        ] {
            assert_eq!(network_of(address.parse().unwrap()), network);
        }
    }

    #[test]
    fn devices_are_told_by_what_they_are_and_not_by_what_they_say_they_are_like() {
        for (agent, said) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/156.0.7000.100 Mobile/15E148 Safari/604.1",
                "Chrome, iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6 Safari/605.1.15",
                "Safari, Mac",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36",
                "Chrome, Android",
            ),
            ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", ""),
            ("", ""),
        ] {
            assert_eq!(device(agent), said, "{agent}");
        }
    }
}
