use keystead_core::ErrorCode;

use super::*;

fn form(pairs: &[(&str, &str)]) -> Form {
    let fields = vec![
        Field::line("name", "Name").needed("Enter a name"),
        Field::typed("email", "email", "E-mail address").hint("You sign in with it."),
        Field::line("city", "City"),
    ];
    Form::filled(fields, pairs.iter().map(|(name, value)| (*name, (*value).to_owned())))
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once_in_the_order_of_the_fields() {
    let mut form = form(&[("email", " ada "), ("city", "x")]);
    form.take(Error::invalid("city", "must not be that short")).unwrap();
    form.take(Error::invalid("shoeSize", "must be a number")).unwrap();
    form.take(Error::Conflict(ErrorCode::NameTaken, "Another one has it.".to_owned())).unwrap();
    let no_email: Option<()> = form.read("email", |_| Err(Invalid::new("must be an e-mail address")));
    assert!(no_email.is_none() && form.read("name", |text| Ok(text.to_owned())).is_none());
    let id = |name: &str| Some(name.to_owned());
    let expected = [
        (None, "ShoeSize must be a number."),
        (None, "Another one has it."),
        (id("name"), "Enter a name."),
        (id("email"), "E-mail address must be an e-mail address."),
        (id("city"), "City must not be that short."),
    ];
    assert_eq!(form.summary(), expected);
    let halves = ["a", "b", "c", "d"].map(|name| Field::line(name, name).half());
    let mixed = halves.into_iter().chain([Field::line("e", "e")]).collect();
    let rows: Vec<usize> = Form::new(mixed, Fields::default()).rows().iter().map(Vec::len).collect();
    assert_eq!(rows, [2, 2, 1]);
    let rows = form.part(&["email"]);
    let email = &rows[0][0];
    assert_eq!((email.value, email.described_by().as_str()), (" ada ", "email-hint email-problem"));
    // Nothing is done as long as something is wrong.
    let untouched = form.run::<()>(async { panic!("it was done") }).await.unwrap();
    assert!(untouched.is_none());
}

#[tokio::test]
async fn what_is_right_is_done_and_what_is_refused_then_is_said() {
    let mut form = form(&[("name", "Ada"), ("email", "")]);
    assert_eq!(form.read("name", |text| Ok(text.to_owned())).as_deref(), Some("Ada"));
    assert!(form.read("email", |text| Ok(text.to_owned())).is_none(), "it may be missing");
    assert_eq!(form.run(async { Ok(7) }).await.unwrap(), Some(7));
    let refused = form.run::<()>(async { Err(Error::invalid("name", "is taken")) }).await.unwrap();
    assert_eq!((refused, form.part(&["name"])[0][0].problem), (None, "Name is taken."));
    assert!(form.run::<()>(async { Err(Error::NoAccess) }).await.unwrap().is_none(), "it was not asked again");
}

#[test]
fn a_sentence_calls_a_field_what_a_person_would() {
    let called = Field::typed("date", "expiresAt", "Expires on").called("The expiry");
    let mut form = Form::new(vec![called], Fields::default());
    form.take(Error::invalid("expiresAt", "must be in the future")).unwrap();
    assert_eq!(form.summary(), [(Some("expiresAt".to_owned()), "The expiry must be in the future.")]);
}

#[test]
fn what_is_wrong_stands_with_the_button_that_was_pressed() {
    let password = Field::typed("password", CONFIRMATION, "Your password");
    let mut form = Form { button: "cancel".to_owned(), ..Form::new(vec![password], Fields::default()) };
    form.say(CONFIRMATION, "This is not your password");
    let seen = |button| {
        let rows = form.rows_of(button);
        (rows[0][0].id.clone(), rows[0][0].problem.to_owned())
    };
    let id = "cancel-confirm_password".to_owned();
    assert_eq!(seen("cancel"), (id.clone(), "This is not your password.".to_owned()));
    assert_eq!(seen("restore"), ("restore-confirm_password".to_owned(), String::new()));
    assert_eq!(form.summary(), [(Some(id), "This is not your password.")]);
}
