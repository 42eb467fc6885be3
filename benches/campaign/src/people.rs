//! People who do not exist, with names as they are spread in the world: a few are many, and many are few.

/// Numbers that come out the same each time (SplitMix64).
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % limit.max(1) as u64) as usize
    }

    /// A place in a list of `count`, the first ones far more often than the last ones.
    fn skewed(&mut self, count: usize) -> usize {
        let fraction = self.below(1 << 20) as f64 / f64::from(1 << 20);
        ((count as f64).powf(fraction) - 1.0) as usize % count
    }

    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.skewed(texts.len())]
    }
}

const FIRST: &[&str] = &[
    "Maria",
    "James",
    "Anna",
    "John",
    "José",
    "Michael",
    "Sophie",
    "David",
    "Laura",
    "Mohammed",
    "Emma",
    "Robert",
    "Olivia",
    "William",
    "Ava",
    "Lukas",
    "Mia",
    "Carlos",
    "Fatima",
    "Noah",
    "Chloé",
    "Liam",
    "Zoë",
    "Jürgen",
    "Elena",
    "Pavel",
    "Ingrid",
    "Søren",
    "Aoife",
    "Nguyễn",
    "Wei",
    "Hiroshi",
    "Priya",
    "Arjun",
    "Amara",
    "Kwame",
    "Leila",
    "Yusuf",
    "Dmitri",
    "Olga",
    "Mateo",
    "Valentina",
    "Thiago",
    "Camila",
    "Hannah",
    "Felix",
    "Clara",
    "Oskar",
    "Freya",
    "Björn",
    "Matilda",
    "Tomasz",
    "Agnieszka",
    "Łukasz",
    "Ioana",
    "Andrei",
    "Katarína",
    "Miloš",
    "Petra",
    "Rui",
];
const LAST: &[&str] = &[
    "Smith",
    "García",
    "Johnson",
    "Müller",
    "Brown",
    "Martínez",
    "Nguyen",
    "Jones",
    "Schmidt",
    "Miller",
    "Davis",
    "López",
    "Wilson",
    "Anderson",
    "Novák",
    "Taylor",
    "Kowalski",
    "Silva",
    "Rossi",
    "Dubois",
    "Jensen",
    "Larsen",
    "Kim",
    "Patel",
    "Singh",
    "Chen",
    "Wang",
    "Tanaka",
    "Sato",
    "Okafor",
    "Mensah",
    "Haddad",
    "Cohen",
    "Levi",
    "Ivanov",
    "Petrov",
    "Popescu",
    "Horváth",
    "Nagy",
    "Papadopoulos",
    "Yılmaz",
    "Kaya",
    "O'Brien",
    "Murphy",
    "MacLeod",
    "Björk",
    "Virtanen",
    "Lindqvist",
    "Van den Berg",
    "De Vries",
    "Fernandes",
    "Oliveira",
    "Castillo",
    "Vargas",
    "Quispe",
];
const CITIES: &[&str] = &[
    "London",
    "Berlin",
    "Madrid",
    "New York",
    "São Paulo",
    "Kraków",
    "Toronto",
    "Sydney",
    "Lagos",
    "Mumbai",
    "Osaka",
    "Lyon",
];
const TRADES: &[&str] =
    &["Dental", "Fitness", "Roofing", "Law", "Plumbing", "Realty", "Bakery", "Solar", "Optics", "Travel"];
/// Tags, the first of nearly everybody and the last of nearly nobody.
pub(crate) const TAGS: &[&str] = &["lead", "newsletter", "customer", "vip", "2026 spring fair", "partner", "press"];
/// The options of the field `Plan`.
pub(crate) const PLANS: &[&str] = &["Basic", "Plus", "Pro", "Enterprise"];
/// Custom fields: name, data type, options.
pub(crate) const FIELDS: &[(&str, &str, &[&str])] = &[
    ("Plan", "SINGLE_OPTIONS", PLANS),
    ("Budget", "MONETORY", &[]),
    ("Seats", "NUMERICAL", &[]),
    ("Renewal", "DATE", &[]),
    ("Interest", "TEXT", &[]),
];

/// One of them.
pub(crate) struct Person {
    pub(crate) first: &'static str,
    pub(crate) last: String,
    pub(crate) email: String,
    /// As people write it.
    pub(crate) phone: String,
    pub(crate) company: String,
    pub(crate) city: &'static str,
    pub(crate) tags: Vec<&'static str>,
    /// In the order of [`FIELDS`].
    pub(crate) values: [String; 5],
}

/// Last names, common ones by themselves and rare ones with a syllable more.
fn last_name(dice: &mut Dice) -> String {
    let name = dice.of(LAST);
    match dice.below(4) {
        0 => format!("{name}-{}", dice.of(LAST)),
        1 => format!("{name}{}", ["son", "ova", "es", "berg", "ini", "ski"][dice.below(6)]),
        _ => name.to_owned(),
    }
}

/// The `number`-th person.
pub(crate) fn person(number: usize) -> Person {
    let mut dice = Dice(number as u64);
    let (first, last, city) = (dice.of(FIRST), last_name(&mut dice), dice.of(CITIES));
    let company = format!("{} {}", last_name(&mut dice), dice.of(TRADES));
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let email = format!("{}.{}{number}@{}.example", plain(first), plain(&last), plain(&company));
    // Area codes 201 to 989 of North America, as they are written there.
    let area = 201 + number % 789;
    let line = (number / 631_200 * 3571 + number % 7919) % 10_000;
    let phone = format!("({area}) {:03}-{line:04}", 200 + number / 789 % 800);
    let tags = TAGS.iter().enumerate().filter(|(place, _)| dice.below(1 << (2 * place)) == 0).map(|(_, tag)| *tag);
    let tags = tags.collect();
    let values = [
        PLANS[dice.skewed(PLANS.len())].to_owned(),
        format!("{}.{:02}", dice.below(20_000), dice.below(100)),
        (1 + dice.skewed(500)).to_string(),
        format!("20{:02}-{:02}-{:02}", 25 + dice.below(4), 1 + dice.below(12), 1 + dice.below(28)),
        format!("{} {}", dice.of(TRADES), dice.of(CITIES)),
    ];
    Person { first, last, email, phone, company, city, tags, values }
}

/// The head of a file of them.
pub(crate) fn columns() -> String {
    let fields = FIELDS.iter().map(|(name, ..)| *name);
    ["First Name", "Last Name", "Email", "Phone", "Company Name", "City", "Tags"]
        .into_iter()
        .chain(fields)
        .collect::<Vec<_>>()
        .join(",")
}

impl Person {
    /// Their line of a file.
    pub(crate) fn line(&self) -> String {
        let Self { first, last, email, phone, company, city, tags, values } = self;
        format!("{first},{last},{email},{phone},{company},{city},\"{}\",{}", tags.join(","), values.join(","))
    }
}
