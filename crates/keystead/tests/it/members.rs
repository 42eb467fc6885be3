//! Members: what somebody may do ends with the right that gave it, and no agency learns of another's members.

use std::{collections::BTreeSet, time::Duration};

use keystead_core::{Authority, Credentials, ErrorCode, NewAgency, RequestFacts, RequestId};
use keystead_model::{
    LocationId, UserId,
    actor::Actor,
    agency::{TenantName, TenantState},
    text::EmailAddress,
    user::{NewUser, Role},
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp};

use crate::app::{from_here, member, sign_in};

const PASSWORD: &str = "a long password";

fn somebody(email: &str, role: Role, locations: &[LocationId]) -> NewUser {
    NewUser {
        email: EmailAddress::parse(email).unwrap(),
        first_name: None,
        last_name: None,
        role,
        locations: locations.iter().copied().collect(),
    }
}

fn id_of(authority: &Authority) -> UserId {
    let Actor::User(id) = authority.actor() else { panic!("a member") };
    id
}

async fn open_status(app: &TestApp, token: &str) -> (u16, u16) {
    let path = format!("/app/invite/{token}");
    let page = app.get(&path).send().await;
    let accepted = from_here(app.post(&path)).form(&[("password", PASSWORD)]).send().await;
    (page.status, accepted.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_end_with_the_right_that_made_them() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let agency = Role::AgencyAdmin;
    let invite = async |by: &Authority, new: NewUser| app.app.invite_user(by, new).await.unwrap().0;
    // An admin of the agency who is disabled, and enabled again.
    member(&app, "aa@x.example", agency, &[]).await;
    let leaving = app.member("aa@x.example", PASSWORD).await;
    let disabled = invite(&leaving, somebody("new@x.example", agency, &[])).await;
    let kept = invite(operator.authority(), somebody("kept@x.example", agency, &[])).await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let page = app.get(&format!("/app/agency/members/{}/disable", id_of(&leaving))).header("Cookie", &cookie);
    let page = page.send().await.text;
    assert!(page.contains("new@x.example") && !page.contains("kept@x.example"), "{page}");
    let set = async |disabled| {
        app.app.set_user_disabled(operator.authority(), id_of(&leaving), disabled).await.unwrap();
    };
    set(true).await;
    assert_eq!(open_status(&app, &disabled).await, (404, 404));
    let list = app.get("/app/agency/members").header("Cookie", &cookie).send().await.text;
    assert!(!list.contains("new@x.example") && list.contains("kept@x.example"), "{list}");
    set(false).await;
    assert_eq!(open_status(&app, &disabled).await, (404, 404), "what has ended stays so");
    // One who is demoted, and one who keeps what they need for it.
    let leaving = app.member("aa@x.example", PASSWORD).await;
    let demoted = invite(&leaving, somebody("boss@x.example", agency, &[])).await;
    let role = Role::AccountAdmin;
    let within = invite(&leaving, somebody("helper@x.example", Role::AccountUser, &[app.ids.location])).await;
    let one = [app.ids.location].into_iter().collect();
    app.app.set_user_role(operator.authority(), id_of(&leaving), role, one).await.unwrap();
    assert_eq!(open_status(&app, &demoted).await, (404, 404));
    assert_eq!(open_status(&app, &within).await, (200, 303));
    // One who is moved to another location.
    let leaving = app.member("aa@x.example", PASSWORD).await;
    let moved = invite(&leaving, somebody("h2@x.example", Role::AccountUser, &[app.ids.location])).await;
    let other = [app.location("Sibling").await].into_iter().collect();
    app.app.set_user_role(operator.authority(), id_of(&leaving), role, other).await.unwrap();
    assert_eq!(open_status(&app, &moved).await, (404, 404));
    assert_eq!(open_status(&app, &kept).await, (200, 303));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_agency_invites_nobody_and_changes_no_roles() {
    let app = TestApp::start().await;
    member(&app, "au@x.example", Role::AgencyUser, &[]).await;
    let (admin, user) = (app.admin().await, id_of(&app.member("au@x.example", PASSWORD).await));
    let agency = Role::AgencyAdmin;
    let (open, _) = app.app.invite_user(&admin, somebody("a@x.example", agency, &[])).await.unwrap();
    let operator = app.operator().await;
    app.app.set_operator(ADMIN_EMAIL, None, false).await.unwrap();
    app.app.set_agency_state(&operator, TenantState::Suspended).await.unwrap();
    let invited = app.app.invite_user(&admin, somebody("b@x.example", agency, &[])).await;
    assert_eq!(invited.unwrap_err().code(), ErrorCode::TenantSuspended);
    let raised = app.app.set_user_role(&admin, user, agency, BTreeSet::default()).await;
    assert_eq!(raised.unwrap_err().code(), ErrorCode::TenantSuspended);
    assert_eq!(open_status(&app, &open).await, (403, 403));
    // What takes authority away is always possible; giving it back is not.
    app.app.set_user_disabled(&admin, user, true).await.unwrap();
    let enabled = app.app.set_user_disabled(&admin, user, false).await;
    assert_eq!(enabled.unwrap_err().code(), ErrorCode::TenantSuspended);
    // The operator can do all of it.
    app.app.set_user_disabled(operator.authority(), user, false).await.unwrap();
    app.app.set_user_role(operator.authority(), user, agency, BTreeSet::default()).await.unwrap();
    app.app.invite_user(operator.authority(), somebody("b@x.example", agency, &[])).await.unwrap();
    app.app.set_agency_state(&operator, TenantState::Active).await.unwrap();
    assert_eq!(open_status(&app, &open).await, (200, 303));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_admin_cannot_disable_or_demote_an_operator() {
    let app = TestApp::start().await;
    member(&app, "aa@x.example", Role::AgencyAdmin, &[]).await;
    let (admin, operator) = (app.member("aa@x.example", PASSWORD).await, app.ids.user);
    let disabled = app.app.set_user_disabled(&admin, operator, true).await;
    assert_eq!(disabled.unwrap_err().code(), ErrorCode::NotAllowed);
    let demoted = app.app.set_user_role(&admin, operator, Role::AgencyUser, BTreeSet::default()).await;
    assert_eq!(demoted.unwrap_err().code(), ErrorCode::NotAllowed);
    // By the pages as well, which say why.
    let cookie = sign_in(&app, "aa@x.example", PASSWORD).await;
    let url = format!("/app/agency/members/{operator}");
    let page = from_here(app.post(&format!("{url}/disable"))).header("Cookie", &cookie).form(&[]).send().await;
    assert!(page.status == 422 && page.text.contains("operator of the instance"), "{} {}", page.status, page.text);
    let page = from_here(app.post(&url)).header("Cookie", &cookie).form(&[("role", "agency-user")]).send().await;
    assert!(page.status == 422 && page.text.contains("operator of the instance"), "{} {}", page.status, page.text);
    // One operator may another.
    app.app.set_operator("aa@x.example", None, true).await.unwrap();
    app.app.set_user_disabled(&admin, operator, true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_may_be_a_member_of_two_agencies_and_neither_learns_of_the_other() {
    let app = TestApp::start().await;
    app.clock.advance(Duration::from_secs(1));
    let second = app.app.create_agency(NewAgency { name: TenantName::parse("Second").unwrap() }).await.unwrap().id;
    let operator = app.app.operator_in(second).await.unwrap();
    let agency = Role::AgencyAdmin;
    // Inviting and joining tell nothing of the member that the first agency has.
    let invite =
        async |email: &str| app.app.invite_user(operator.authority(), somebody(email, agency, &[])).await.unwrap().0;
    for email in [ADMIN_EMAIL, "fresh@x.example"] {
        assert_eq!(open_status(&app, &invite(email).await).await, (200, 303), "{email}");
    }
    let again = app.app.invite_user(operator.authority(), somebody(ADMIN_EMAIL, agency, &[])).await;
    assert_eq!(again.unwrap_err().code(), ErrorCode::NameTaken);
    // Each password opens its own agency, and no other.
    let wanted = async |password: &str, agency| {
        let credentials = Credentials { email: ADMIN_EMAIL, password, agency, browser: None };
        let facts = RequestFacts {
            id: RequestId::from_bits(1),
            address: [192, 0, 2, 7].into(),
            address_is_own: true,
            user_agent: None,
            endpoint: "app",
            origin: None,
        };
        app.app.sign_in(credentials, &facts).await.map(|signed_in| signed_in.agency.id)
    };
    let first = app.ids.agency;
    assert_eq!(wanted(ADMIN_PASSWORD, None).await.unwrap(), first);
    assert_eq!(wanted(PASSWORD, None).await.unwrap(), second);
    assert_eq!(wanted(ADMIN_PASSWORD, Some(second)).await.unwrap_err().code(), ErrorCode::NotAllowed);
    assert_eq!(wanted(PASSWORD, Some(first)).await.unwrap_err().code(), ErrorCode::NotAllowed);
    // With one password for both, the sign-in's address chooses.
    app.app.reset_password(ADMIN_EMAIL, Some(second), ADMIN_PASSWORD).await.unwrap();
    assert_eq!(wanted(ADMIN_PASSWORD, None).await.unwrap(), first, "the older membership");
    assert_eq!(wanted(ADMIN_PASSWORD, Some(second)).await.unwrap(), second);
    let page = app.get(&format!("/app/sign-in?agency={second}")).send().await;
    assert!(page.text.contains(&format!("name=\"agency\" value=\"{second}\"")), "{}", page.text);
    let fields = [("email", ADMIN_EMAIL), ("password", ADMIN_PASSWORD), ("agency", second.as_str())];
    let signed_in = from_here(app.post("/app/sign-in")).form(&fields).send().await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap();
    let account = app.get("/app/account").header("Cookie", cookie).send().await.text;
    assert!(account.contains("Second") && account.contains(&format!("/app/sign-in?agency={second}")), "{account}");
    // Where the operator's command must say which, it is told.
    let unclear = app.app.set_operator(ADMIN_EMAIL, None, true).await.unwrap_err();
    assert!(unclear.to_string().contains(second.as_str()) && unclear.to_string().contains(first.as_str()));
    // Whoever leaves one stays in the other.
    app.app.set_user_disabled(app.operator().await.authority(), app.ids.user, true).await.unwrap_err();
    member(&app, "aa@x.example", agency, &[]).await;
    app.app.set_user_disabled(app.operator().await.authority(), app.ids.user, true).await.unwrap();
    assert_eq!(wanted(ADMIN_PASSWORD, None).await.unwrap(), second);
}
