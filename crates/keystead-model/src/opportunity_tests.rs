use super::*;

fn day(text: &str) -> CalendarDate {
    CalendarDate::parse(text).unwrap()
}

fn opportunity() -> (Opportunity, Pipeline) {
    let location = LocationId::parse(&"1".repeat(20)).unwrap();
    let pipeline = Pipeline::first(location, UtcMs(0));
    let content = OpportunityContent {
        name: Line::parse("New kitchen").unwrap(),
        contact: ContactId::parse(&"2".repeat(20)).unwrap(),
        pipeline: pipeline.id,
        stage: pipeline.stages[1].id,
        status: Status::Open,
        value: Decimal::default(),
        assigned_to: None,
        source: None,
        lost_reason: None,
        followers: Vec::new(),
        close_date: None,
        probability: None,
    };
    (Opportunity::new(OpportunityId::parse(&"3".repeat(20)).unwrap(), location, content, UtcMs(1)), pipeline)
}

fn changed(opportunity: &mut Opportunity, patch: OpportunityPatch, now: i64) {
    let mut content = opportunity.content.clone();
    patch.apply(&mut content, Uuid::from_bits(7));
    opportunity.become_so(content, UtcMs(now));
}

use crate::uuid::Uuid;

#[test]
fn a_day_that_moves_to_a_later_one_slips() {
    let (mut opportunity, _) = opportunity();
    let to = |date: Option<&str>| OpportunityPatch { close_date: Some(date.map(day)), ..OpportunityPatch::default() };
    let seen = |opportunity: &Opportunity| {
        let Slippage { count, at, .. } = opportunity.slippage;
        (count, at, opportunity.slippage.days(opportunity.content.close_date))
    };
    changed(&mut opportunity, to(Some("2026-05-01")), 2);
    assert_eq!(seen(&opportunity), (0, None, Some(0)));
    changed(&mut opportunity, to(Some("2026-05-20")), 3);
    assert_eq!(seen(&opportunity), (1, Some(UtcMs(3)), Some(19)));
    changed(&mut opportunity, to(Some("2026-04-01")), 4);
    assert_eq!(seen(&opportunity), (1, Some(UtcMs(3)), Some(0)), "an earlier day is no slip");
    changed(&mut opportunity, to(None), 5);
    changed(&mut opportunity, to(Some("2026-05-02")), 6);
    assert_eq!(seen(&opportunity), (1, Some(UtcMs(3)), Some(1)), "the first day stays the first");
}

#[test]
fn what_changes_says_since_when() {
    let (mut opportunity, pipeline) = opportunity();
    let status = |status| OpportunityPatch { status: Some(status), ..OpportunityPatch::default() };
    changed(
        &mut opportunity,
        OpportunityPatch {
            lost_reason: Some(Some(LostReasonId::parse(&"4".repeat(20)).unwrap())),
            ..status(Status::Lost)
        },
        5,
    );
    assert_eq!((opportunity.status_changed_at, opportunity.stage_changed_at), (UtcMs(5), UtcMs(1)));
    assert!(opportunity.content.lost_reason.is_some());
    changed(&mut opportunity, status(Status::Lost), 6);
    assert_eq!(opportunity.status_changed_at, UtcMs(5));
    changed(&mut opportunity, OpportunityPatch { stage: Some(pipeline.stages[0].id), ..status(Status::Open) }, 7);
    assert_eq!((opportunity.status_changed_at, opportunity.stage_changed_at), (UtcMs(7), UtcMs(7)));
    assert_eq!(opportunity.content.lost_reason, None, "it is not lost any more");
    // Another pipeline begins with its first stage, unless one is named.
    let other = PipelineId::parse(&"5".repeat(20)).unwrap();
    changed(&mut opportunity, OpportunityPatch { pipeline: Some(other), ..OpportunityPatch::default() }, 8);
    assert_eq!((opportunity.content.stage, opportunity.stage_changed_at), (Uuid::from_bits(7), UtcMs(8)));
}

#[test]
fn how_probable_it_is_follows_from_how_it_stands() {
    let (mut opportunity, mut pipeline) = opportunity();
    let content = &mut opportunity.content;
    assert_eq!(content.effective_probability(&pipeline), Some(25));
    content.probability = Some(40);
    assert_eq!(content.effective_probability(&pipeline), Some(25), "the pipeline does not want its own");
    pipeline.content.use_opportunity_probability = true;
    assert_eq!(content.effective_probability(&pipeline), Some(40));
    content.probability = None;
    pipeline.stages[1].probability = None;
    assert_eq!(content.effective_probability(&pipeline), None);
    for (status, probability) in [(Status::Won, 100), (Status::Lost, 0), (Status::Abandoned, 0)] {
        content.status = status;
        assert_eq!(content.effective_probability(&pipeline), Some(probability));
    }
}

#[test]
fn followers_stand_once() {
    let user = |digit: &str| UserId::parse(&digit.repeat(20)).unwrap();
    let mut followers = vec![user("1"), user("2")];
    FollowersChange { add: vec![user("2"), user("3"), user("3")], remove: vec![user("1")], removes_all: false }
        .apply(&mut followers);
    assert_eq!(followers, [user("2"), user("3")]);
    FollowersChange { add: vec![user("2")], removes_all: true, ..FollowersChange::default() }.apply(&mut followers);
    assert_eq!(followers, [user("2")]);
}
