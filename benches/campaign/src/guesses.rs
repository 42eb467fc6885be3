//! Guessing passwords: how many guesses are tried, whom that locks out, and what a guesser learns.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use tokio::task::JoinSet;

use crate::{
    Outcome,
    client::{Answer, Connection},
    figures::{Times, head, row},
    server::{ADMIN, Place, Server},
};

#[derive(Args)]
pub(crate) struct Guesses {
    /// Guesses at once
    #[arg(long, default_value_t = 300)]
    at_once: usize,
}

/// Members besides the admin.
const MEMBERS: usize = 24;
const PASSWORD: &str = "a long password of theirs";

/// What became of a guess.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It was tried, and wrong.
    Tried,
    /// It was right.
    In,
    /// It was not tried.
    Refused,
    /// Something else.
    Odd(u16),
}

fn fate(answer: &Answer) -> Fate {
    match answer.status {
        303 => Fate::In,
        _ if answer.text.contains("not right") || answer.text.contains("is not your password") => Fate::Tried,
        429 | 503 => Fate::Refused,
        _ if answer.text.contains("Too many") => Fate::Refused,
        status => Fate::Odd(status),
    }
}

fn member(number: usize) -> String {
    format!("member{number}@example.com")
}

/// Sends a form from an address that the proxy in front is said to have seen.
async fn send(
    server: SocketAddr,
    path: &str,
    from: &str,
    cookie: &str,
    fields: &[(&str, &str)],
) -> Result<Answer, String> {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let body = pairs.join("&");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nX-Forwarded-For: {from}\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let spread = from.bytes().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 50_000;
    let mut connection = Connection::open(server, spread).await.map_err(|error| error.to_string())?;
    connection.ask(format!("{head}{body}").as_bytes()).await.map_err(|error| error.to_string())
}

async fn sign_in(server: SocketAddr, from: &str, cookie: &str, email: &str, password: &str) -> Result<Answer, String> {
    send(server, "/app/sign-in", from, cookie, &[("email", email), ("password", password)]).await
}

/// The cookies that an answer sets.
fn cookies(answer: &Answer) -> String {
    let set = answer.text.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("set-cookie").then(|| value.trim().split(';').next().unwrap_or_default().to_owned())
    });
    set.collect::<Vec<_>>().join("; ")
}

/// Many guesses at once: how many were tried, refused, and how long all took.
async fn guess(server: SocketAddr, guesses: Vec<(String, String)>) -> (usize, usize, usize, Duration) {
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for (number, (from, email)) in guesses.into_iter().enumerate() {
        all.spawn(async move { sign_in(server, &from, "", &email, &format!("wrong guess {number}")).await });
    }
    let fates: Vec<Fate> =
        all.join_all().await.iter().map(|answer| answer.as_ref().map_or(Fate::Odd(0), fate)).collect();
    let count = |wanted: &dyn Fn(&Fate) -> bool| fates.iter().filter(|fate| wanted(fate)).count();
    (
        count(&|fate| *fate == Fate::Tried),
        count(&|fate| *fate == Fate::Refused),
        count(&|fate| matches!(fate, Fate::Odd(_) | Fate::In)),
        begun.elapsed(),
    )
}

impl Guesses {
    pub(crate) async fn run(self, place: &Place) -> Outcome {
        let server = place.start(&["--trusted-proxies", "127.0.0.0/8"])?;
        invite(place, &server).await?;
        let address = server.address;
        let many = self.at_once;
        // A browser that has signed in before anything happens.
        let first = sign_in(address, "198.51.100.1", "", &member(0), PASSWORD).await?;
        let known_browser = cookies(&first);

        head(&["attack", "guesses", "tried", "refused", "other", "s", "afterwards"]);
        let tell =
            |name: &str, count: usize, (tried, refused, odd, took): (usize, usize, usize, Duration), after: String| {
                let seconds = format!("{:.1}", took.as_secs_f64());
                row(&[
                    name.to_owned(),
                    count.to_string(),
                    tried.to_string(),
                    refused.to_string(),
                    odd.to_string(),
                    seconds,
                    after,
                ]);
            };
        let to = |from: &dyn Fn(usize) -> String, email: &dyn Fn(usize) -> String| {
            (0..many).map(|number| (from(number), email(number))).collect::<Vec<_>>()
        };
        let enters = async |from: &str, cookie: &str, email: String| {
            sign_in(address, from, cookie, &email, PASSWORD).await.map_or("no answer".to_owned(), |answer| {
                match fate(&answer) {
                    Fate::In => "is let in".to_owned(),
                    fate => format!("is kept out ({fate:?})"),
                }
            })
        };

        let one = guess(address, to(&|_| "192.0.2.1".to_owned(), &|_| member(1))).await;
        let after = enters("192.0.2.99", "", member(1)).await;
        tell("one account, one address", many, one, format!("its owner elsewhere {after}"));
        let one = guess(address, to(&|number| format!("2001:db8:1:1::{number:x}"), &|_| member(2))).await;
        let after = enters("2001:db8:1:1::ffff", "", member(3)).await;
        tell("one account, one /64", many, one, format!("a colleague in it {after}"));
        let from_everywhere = |number: usize| format!("10.{}.{}.7", 64 + number / 250, number % 250);
        let one = guess(address, to(&from_everywhere, &|_| member(0))).await;
        let (stranger, known) =
            (enters("192.0.2.98", "", member(0)).await, enters("192.0.2.97", &known_browser, member(0)).await);
        let after = format!("its owner {stranger}, and {known} in a browser that has signed in before");
        tell("one account, an address each", many, one, after);
        let office: Vec<_> = (0..62).map(|number| ("203.0.113.5".to_owned(), member(4 + number % 10))).collect();
        let one = guess(address, office).await;
        let after = enters("203.0.113.5", "", member(20)).await;
        tell("an office that mistypes, ten accounts", 62, one, format!("a colleague in it {after}"));

        crowd(&server).await?;
        learns(&server).await?;
        account(&server).await
    }
}

/// Makes the members, who choose their passwords.
async fn invite(place: &Place, server: &Server) -> Outcome {
    for number in 0..MEMBERS {
        let email = member(number);
        let invited = place.json(
            server.folder(),
            &["users", "invite", "--email", &email, "--role", "agency-user", "--agency-id", &server.agency, "--json"],
        )?;
        let link = invited["link"].as_str().unwrap_or_default().to_owned();
        let path = link.find("/app/invite/").map(|at| link[at..].to_owned()).ok_or("an invitation without a link")?;
        let fields = [("first_name", "A"), ("last_name", "Member"), ("password", PASSWORD)];
        let accepted = send(server.address, &path, "198.51.100.200", "", &fields).await?;
        if accepted.status != 303 {
            return Err(format!("{email} could not accept: {}", accepted.status));
        }
    }
    Ok(())
}

/// A thousand guesses at once, and somebody who signs in beside them.
async fn crowd(server: &Server) -> Outcome {
    let address = server.address;
    let honest = Arc::new(Times::default());
    let alone = Instant::now();
    sign_in(address, "198.51.100.20", "", &member(21), PASSWORD).await?;
    let alone = alone.elapsed();
    let guesses = (0..1000).map(|n| (format!("10.{}.{}.9", 128 + n / 250, n % 250), format!("nobody{n}@example.com")));
    let crowd = guess(address, guesses.collect());
    let times = Arc::clone(&honest);
    let beside = async move {
        let mut kept_out = 0;
        for number in 0..5 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let begun = Instant::now();
            let (from, email) = (format!("198.51.100.{}", 30 + number), member(21 + number % 3));
            match sign_in(address, &from, "", &email, PASSWORD).await.map(|answer| fate(&answer)) {
                Ok(Fate::In) => times.add(begun.elapsed()),
                _ => kept_out += 1,
            }
        }
        kept_out
    };
    let ((tried, refused, odd, took), kept_out) = tokio::join!(crowd, beside);
    println!(
        "\nA thousand guesses at once, each from elsewhere: {tried} tried, {refused} refused, {odd} other, in {:.1} s. \
         An honest sign-in takes {:.0} ms alone, and {:.0} ms at worst beside them; {kept_out} of 5 were kept out.",
        took.as_secs_f64(),
        alone.as_secs_f64() * 1000.0,
        honest.at(1.0)
    );
    Ok(())
}

/// Whether the time of a refusal tells an account that exists from one that does not.
async fn learns(server: &Server) -> Outcome {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..60 {
        // Apart in place and account, so that no limit is met.
        let from = format!("172.16.{round}.1");
        for (email, times) in [(member(22 + round % 2), &mut known), (format!("none{round}@example.com"), &mut unknown)]
        {
            let begun = Instant::now();
            let answer = sign_in(server.address, &from, "", &email, "a wrong password").await?;
            if fate(&answer) == Fate::Tried {
                times.push(begun.elapsed());
            }
        }
    }
    let pairs = known.iter().flat_map(|k| unknown.iter().map(move |u| f64::from(u8::from(k > u))));
    let share = pairs.sum::<f64>() / (known.len() * unknown.len()).max(1) as f64;
    println!(
        "\nOf an account that exists and one that does not, the slower refusal is that of the existing one in {:.0} % of \
         all pairs (50 % tells nothing; {} and {} were tried).",
        share * 100.0,
        known.len(),
        unknown.len()
    );
    Ok(())
}

/// Guesses with a session that was left open, at the page that asks the password before it is changed.
async fn account(server: &Server) -> Outcome {
    let signed_in = sign_in(server.address, "198.51.100.40", "", ADMIN.0, ADMIN.1).await?;
    let cookie = cookies(&signed_in);
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for number in 0..100 {
        let (cookie, address) = (cookie.clone(), server.address);
        all.spawn(async move {
            let wrong = format!("wrong guess {number}");
            let fields = [("current", wrong.as_str()), ("password", "another long password")];
            send(address, "/app/account", "198.51.100.40", &cookie, &fields).await
        });
    }
    let answers = all.join_all().await;
    let refused =
        answers.iter().filter(|answer| answer.as_ref().is_ok_and(|answer| fate(answer) == Fate::Refused)).count();
    println!(
        "\nA hundred guesses at once at the page that changes a password, with its session: {} tried, {refused} refused, \
         in {:.1} s.",
        answers.len() - refused,
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}
