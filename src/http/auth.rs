//! `/auth`: registering, signing in, going on, and who one is.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::Value;

use super::{body::Object, problem::Problem, rate::ClientAddress, reply};
use crate::{
    domain::{
        account::{Account, Email, Password, Username},
        caller::Caller,
        fields::{Fields, Invalid, Wrong},
        text::{Bio, Name},
    },
    service::{
        accounts::{Accounts, Myself, Registration},
        error::Error,
        links::Links,
        once::Answer,
        sessions::{Pair, Token},
    },
    view::{One, OwnGuest, UserView},
};

/// What somebody who has signed in is told, beside who they are.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tokens<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    /// Seconds.
    expires_in: u64,
}

#[derive(Serialize)]
struct SignedIn<'a> {
    user: UserView<'a>,
    #[serde(flatten)]
    tokens: Tokens<'a>,
}

impl<'a> From<&'a Pair> for Tokens<'a> {
    fn from(pair: &'a Pair) -> Self {
        Self {
            access_token: pair.access_token.expose(),
            refresh_token: pair.refresh_token.expose(),
            expires_in: pair.expires_in.as_secs(),
        }
    }
}

impl<'a> SignedIn<'a> {
    fn new(account: &'a Account, pair: &'a Pair, links: &Links) -> Self {
        Self { user: UserView::own(account, links), tokens: pair.into() }
    }
}

/// `POST /auth/register`.
///
/// # Errors
///
/// Wrong fields, a name or an address that is taken, or too many.
pub async fn register(
    accounts: web::Data<Accounts>,
    links: web::Data<Links>,
    address: ClientAddress,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let new = registration(body.into_fields()).map_err(Error::from)?;
    let (account, pair) = accounts.register(new, address.0).await?;
    let location = format!("/api/v1/users/{}", account.person.id);
    reply::answer(&Answer::created(location, &SignedIn::new(&account, &pair, &links))?)
}

/// `POST /auth/login`.
///
/// # Errors
///
/// Wrong fields, an unknown address or a wrong password, or too many.
pub async fn login(
    accounts: web::Data<Accounts>,
    links: web::Data<Links>,
    address: ClientAddress,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let (email, password) = credentials(body.into_fields()).map_err(Error::from)?;
    let (account, pair) = accounts.login(email, password, address.0).await?;
    reply::ok(&SignedIn::new(&account, &pair, &links))
}

/// `POST /auth/refresh`.
///
/// # Errors
///
/// No token, one that is worth nothing, or too many.
pub async fn refresh(accounts: web::Data<Accounts>, body: Object) -> Result<HttpResponse, Problem> {
    let token = refresh_token(body.into_fields()).map_err(Error::from)?;
    let pair = accounts.refresh(&Token::read(&token)?).await?;
    reply::ok(&Tokens::from(&pair))
}

/// `POST /auth/logout`.
///
/// # Errors
///
/// No token; one that is worth nothing is as good as logged out.
pub async fn logout(
    _caller: Caller,
    accounts: web::Data<Accounts>,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let token = refresh_token(body.into_fields()).map_err(Error::from)?;
    if let Ok(token) = Token::read(&token) {
        accounts.logout(&token).await?;
    }
    Ok(reply::no_content())
}

/// `PUT /auth/password`.
///
/// # Errors
///
/// As the service.
pub async fn change_password(
    caller: Caller,
    accounts: web::Data<Accounts>,
    address: ClientAddress,
    body: Object,
) -> Result<HttpResponse, Problem> {
    accounts.change_password(caller, body.into_fields(), address.0).await?;
    Ok(reply::no_content())
}

/// `GET /auth/me`.
///
/// # Errors
///
/// Nobody, or a screen.
pub async fn me(
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    links: web::Data<Links>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    match accounts.myself(caller).await? {
        Myself::User(account) => {
            reply::resource(&request, &One::User(&UserView::own(&account, links.get_ref())))
        }
        Myself::Guest(guest) => reply::resource(&request, &One::Guest(&OwnGuest::from(&guest))),
    }
}

fn registration(mut fields: Fields) -> Result<Registration, Invalid> {
    without_firebase(&mut fields)?;
    let email = fields.required("email", Email::read);
    let password = fields.required("password", Password::read);
    let username = fields.required("username", Username::read);
    let first_name = fields.required("firstName", Name::read);
    let last_name = fields.required("lastName", Name::read);
    let bio = fields.optional("bio", Bio::read);
    let read = || {
        Some(Registration {
            email: email?,
            password: password?,
            username: username?,
            first_name: first_name?,
            last_name: last_name?,
            bio: bio?,
        })
    };
    fields.finish(read())
}

fn refresh_token(mut fields: Fields) -> Result<String, Invalid> {
    let token = fields.required("refreshToken", |token| {
        token.as_str().map(str::to_owned).ok_or(Wrong::new("INVALID_TYPE", "must be a string"))
    });
    fields.finish(token)
}

fn credentials(mut fields: Fields) -> Result<(Email, Password), Invalid> {
    without_firebase(&mut fields)?;
    let email = fields.required("email", Email::read);
    let password = fields.required("password", Password::given);
    fields.finish(email.zip(password))
}

/// Only those who signed in with Firebase send its tokens, and nobody can yet.
fn without_firebase(fields: &mut Fields) -> Result<(), Invalid> {
    match fields.take("firebaseToken") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => {
            Err(Invalid::one("firebaseToken", &Wrong::new("UNSUPPORTED", "is not taken by this service")))
        }
    }
}
