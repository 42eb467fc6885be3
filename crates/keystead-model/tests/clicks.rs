//! The rules that tell people from programs, held against labelled traces (`traces/`): what really came, or what a public source
//! says of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use keystead_model::click::{Company, Greeting, Hit, Look, RULES, Reason, Rule, Verdict, greet, judge};
use serde::Deserialize;

/// Hits that belong together, and who they were.
#[derive(Deserialize)]
struct Scenario {
    id: String,
    label: String,
    channel: String,
    hits: Vec<Sent>,
    expect: Expected,
    background: Option<Background>,
}

#[derive(Deserialize)]
struct Sent {
    at_ms: u64,
    method: String,
    tls: bool,
    net: String,
    /// Whose link it is, if it is somebody's.
    contact: Option<String>,
    link: String,
    headers: BTreeMap<String, String>,
    /// In a scenario of both: whether a person made this one.
    person: Option<bool>,
}

#[derive(Deserialize)]
struct Expected {
    fires: usize,
    within_s: u64,
}

/// Hits of other contacts from the same place, within a minute around it.
#[derive(Deserialize)]
struct Background {
    n: u64,
    contacts: u64,
    ua: String,
}

/// The newest Chromium of people when the traces were taken.
const NEWEST: i64 = 156;

/// A hit that was kept.
struct Kept<'s> {
    at: u64,
    contact: Option<String>,
    link: &'s str,
    source: (String, String),
    hit: Hit,
    /// Whether it may fire: those of the background are others'.
    is_own: bool,
    is_person: bool,
}

fn kept(scenario: &Scenario) -> Vec<Kept<'_>> {
    let mut kept: Vec<Kept<'_>> = Vec::new();
    for sent in &scenario.hits {
        let header = |name: &str| sent.headers.get(name).map(String::as_str);
        // Before any hit is one: what loads ahead or hands over to a browser is answered, and comes again if it is meant.
        if greet(header) != Greeting::Hit {
            continue;
        }
        let hit = Hit::of(sent.method == "GET", sent.tls, header);
        let source = (sent.net.clone(), hit.agent.clone());
        let is_person = sent.person.unwrap_or(scenario.label == "human");
        kept.push(Kept {
            at: sent.at_ms,
            contact: sent.contact.clone(),
            link: &sent.link,
            source,
            hit,
            is_own: true,
            is_person,
        });
    }
    let others: Vec<Kept<'_>> = match (&scenario.background, kept.first()) {
        (Some(Background { n, contacts, ua }), Some(first)) => (0..*n)
            .map(|number| {
                let agent = if ua == "same" { first.source.1.clone() } else { format!("{} {number}", first.source.1) };
                Kept {
                    at: (first.at + 60_000 * number / n).saturating_sub(30_000),
                    contact: Some(format!("other {}", number % contacts)),
                    link: first.link,
                    source: (first.source.0.clone(), agent.clone()),
                    hit: Hit { agent, ..first.hit.clone() },
                    is_own: false,
                    is_person: first.is_person,
                }
            })
            .collect(),
        _ => Vec::new(),
    };
    kept.extend(others);
    kept.sort_by_key(|kept| kept.at);
    kept
}

/// What is known of the company of a hit when it is looked at, so long after it came.
fn company(all: &[Kept<'_>], one: &Kept<'_>, channel: &str, look: Look) -> Company {
    let until = one.at + after(look).as_millis() as u64;
    let near = |within: Duration| {
        all.iter().filter(move |other| other.at <= until && other.at.abs_diff(one.at) <= within.as_millis() as u64)
    };
    let is_own = |other: &&Kept<'_>| one.contact.is_some() && other.contact == one.contact;
    let links = near(Company::OF_CONTACT).filter(is_own).map(|other| other.link);
    let from_there = |other: &&Kept<'_>| other.source == one.source;
    let contacts = near(Company::OF_SOURCE).filter(from_there).filter_map(|other| other.contact.as_ref());
    let is_again = |other: &&Kept<'_>| one.contact.is_none() && other.contact.is_none() && other.link == one.link;
    Company {
        after_message: (channel == "mail").then(|| Duration::from_millis(one.at)),
        links: links.collect::<BTreeSet<_>>().len(),
        contacts: contacts.collect::<BTreeSet<_>>().len(),
        repeats: near(Company::OF_CONTACT).filter(from_there).filter(is_again).count().min(Company::BURST),
        newest_chromium: Some(NEWEST),
    }
}

fn after(look: Look) -> Duration {
    match look {
        Look::First => Look::FIRST_AFTER,
        Look::Last => Look::LAST_AFTER,
    }
}

/// What fired of a scenario: the contact and the link, how long after the hit, and whether it was a person's.
struct Fired {
    pairs: BTreeSet<(String, String)>,
    slowest: Duration,
    of_bots: usize,
}

fn fired(scenario: &Scenario, without: Option<Reason>) -> Fired {
    let all = kept(scenario);
    let rules = || RULES.iter().filter(|rule: &&Rule| Some(rule.reason) != without);
    let mut fired = Fired { pairs: BTreeSet::new(), slowest: Duration::ZERO, of_bots: 0 };
    for (number, one) in all.iter().enumerate().filter(|(_, one)| one.is_own) {
        let looked = [Look::First, Look::Last].into_iter().find_map(|look| {
            let verdict = judge(rules(), &one.hit, &company(&all, one, &scenario.channel, look), look).verdict?;
            Some((verdict, look))
        });
        let (verdict, look) = looked.expect("the last look decides");
        // Each that nobody known makes counts as somebody.
        let who = one.contact.clone().unwrap_or_else(|| format!("nobody known, {number}"));
        let pair = (who, one.link.to_owned());
        if verdict == Verdict::Human {
            fired.of_bots += usize::from(!one.is_person && !fired.pairs.contains(&pair));
            fired.slowest = fired.slowest.max(after(look));
            fired.pairs.insert(pair);
        }
    }
    fired
}

/// How a set came out.
#[derive(Debug, Default)]
struct Score {
    bots: usize,
    bots_fired: Vec<String>,
    people: usize,
    people_lost: Vec<String>,
    late: Vec<String>,
}

fn score(scenarios: &[Scenario], without: Option<Reason>) -> Score {
    let mut score = Score::default();
    for scenario in scenarios {
        let fired = fired(scenario, without);
        match scenario.label.as_str() {
            "bot" => {
                score.bots += 1;
                if !fired.pairs.is_empty() {
                    score.bots_fired.push(scenario.id.clone());
                }
            }
            "human" => {
                score.people += 1;
                if fired.of_bots > 0 {
                    score.bots_fired.push(scenario.id.clone());
                }
                if fired.pairs.len() < scenario.expect.fires {
                    score.people_lost.push(scenario.id.clone());
                }
                // At once is after the first look.
                if fired.slowest > Duration::from_secs(scenario.expect.within_s).max(Look::FIRST_AFTER) {
                    score.late.push(scenario.id.clone());
                }
            }
            // A person's own device without an intent: either is right.
            "ambiguous" => {}
            other => panic!("{}: {other}", scenario.id),
        }
    }
    score
}

fn read(text: &str) -> Vec<Scenario> {
    let scenarios: Vec<Scenario> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let ids: BTreeSet<&str> = scenarios.iter().map(|scenario| scenario.id.as_str()).collect();
    assert_eq!(ids.len(), scenarios.len(), "each has a name of its own");
    scenarios
}

fn tuned() -> Vec<Scenario> {
    read(include_str!("traces/tune.jsonl"))
}

#[test]
fn no_program_fires_and_no_person_is_lost() {
    let score = score(&tuned(), None);
    assert!(score.bots >= 50 && score.people >= 25, "{} and {}", score.bots, score.people);
    assert_eq!(score.bots_fired, [""; 0]);
    assert_eq!(score.people_lost, [""; 0]);
    assert_eq!(score.late, [""; 0]);
}

/// Nobody looks at these while rules are tuned.
#[test]
fn what_was_set_aside_comes_out_alike() {
    let score = score(&read(include_str!("traces/judge.jsonl")), None);
    assert!(score.bots >= 25 && score.people >= 10, "{} and {}", score.bots, score.people);
    println!("set aside: {score:?}");
    assert!(score.bots_fired.is_empty(), "{:?}", score.bots_fired);
    assert!(score.people_lost.len() * 50 <= score.people, "{:?}", score.people_lost);
}

/// Each rule has a trace that needs it: what could be left out is no rule.
#[test]
fn no_rule_can_be_left_out() {
    let scenarios = tuned();
    let is_needless = |rule: &&Rule| score(&scenarios, Some(rule.reason)).bots_fired.is_empty();
    let needless: Vec<&str> = RULES.iter().filter(is_needless).map(|rule| rule.reason.as_str()).collect();
    assert_eq!(needless, [""; 0]);
}
