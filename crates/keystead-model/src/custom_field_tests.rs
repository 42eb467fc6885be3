use super::*;

fn field(data_type: DataType, content: CustomFieldContent) -> Result<CustomField, Vec<Problem>> {
    let (id, location) = (CustomFieldId::parse("0000000000000000000F"), LocationId::parse("0000000000000000000L"));
    let new = NewCustomField { model: OwnerKind::Contact, data_type, content };
    CustomField::new(id.unwrap(), location.unwrap(), new, UtcMs(0))
}

fn named(name: &str) -> CustomFieldContent {
    CustomFieldContent::named(Line::parse(name).unwrap())
}

fn options(names: &[&str]) -> Vec<FieldOption> {
    names.iter().map(|name| Line::parse(name).unwrap()).collect()
}

fn names(problems: Vec<Problem>) -> Vec<&'static str> {
    problems.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_kind_has_one_name() {
    for kind in DataType::ALL {
        assert_eq!(DataType::parse(kind.as_str()), Some(kind));
    }
}

#[test]
fn all_that_does_not_go_together_is_told_at_once() {
    let content = CustomFieldContent {
        options: options(&["a", "b", "a"]),
        accepted_formats: vec![Format::parse("PDF").unwrap()],
        text_boxes: vec![TextBox { label: Line::parse("x").unwrap(), prefill: None }],
        ..named("First name")
    };
    let problems = names(field(DataType::Text, content).unwrap_err());
    assert_eq!(problems, ["options", "acceptedFormat", "textBoxListOptions", "options", "name"]);
}

#[test]
fn a_name_may_change_and_the_kind_may_not() {
    let before = field(DataType::Radio, CustomFieldContent { options: options(&["a"]), ..named("Colour") }).unwrap();
    let patch = CustomFieldPatch { name: Line::parse("Farbe").ok(), ..CustomFieldPatch::default() };
    let after = before.changed(patch).unwrap();
    assert_eq!((after.content.name.as_str(), after.field_key().as_str()), ("Farbe", "contact.colour"));
    let patch = CustomFieldPatch {
        data_type: Some(DataType::Text),
        model: Some(OwnerKind::Opportunity),
        ..CustomFieldPatch::default()
    };
    assert_eq!(names(before.changed(patch).unwrap_err()), ["dataType", "model"]);
    let same = CustomFieldPatch { data_type: Some(DataType::Radio), ..CustomFieldPatch::default() };
    assert_eq!(before.changed(same).unwrap(), before);
}

#[test]
fn keys_are_read_as_people_write_them() {
    for text in ["colour", "contact.colour", "{{contact.colour}}", " {{ contact.colour }} "] {
        assert_eq!(FieldName::of_key(OwnerKind::Contact, text), FieldName::Key("colour".to_owned()), "{text}");
    }
}

#[test]
fn formats_are_endings() {
    for text in [".pdf", "PDF", "*.pdf", " .Pdf "] {
        assert_eq!(Format::parse(text).unwrap().as_str(), ".pdf", "{text}");
    }
    for text in ["", ".", "a/b", ".tar.gz", "waytoolongending"] {
        assert!(Format::parse(text).is_err(), "{text}");
    }
    let content = CustomFieldContent { accepted_formats: vec![Format::parse("pdf").unwrap()], ..named("Contract") };
    let contract = field(DataType::FileUpload, content).unwrap();
    assert!(contract.refuses_file("A.PDF").is_none() && contract.refuses_file("a.exe").is_some());
}
