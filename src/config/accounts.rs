//! Who vouches for callers, and who carries pushes.

use super::list;
use super::problem::Expected;
use super::reader::Reader;
use super::secret::Secret;
use super::variables as v;

/// `AUTH_PROVIDER`: at least one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// E-mail and password, kept here.
    pub local: bool,
    /// The Firebase project whose ID tokens are accepted.
    pub firebase: Option<String>,
}

/// The account that sends pushes through Firebase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// The project that it belongs to.
    pub project_id: String,
    /// Its address.
    pub client_email: String,
    /// Its key, PEM.
    pub private_key: Secret<String>,
}

#[derive(PartialEq, Eq)]
enum Provider {
    Local,
    Firebase,
}

/// Reads `AUTH_PROVIDER` and `FIREBASE_…`, which depend on one another.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<(Auth, Option<ServiceAccount>)> {
    let providers = reader.value(&v::AUTH_PROVIDER, |text| list::read(text, provider));
    let project = reader.optional(&v::FIREBASE_PROJECT_ID, project_id);
    let email = reader.optional(&v::FIREBASE_CLIENT_EMAIL, client_email);
    let key = reader.optional(&v::FIREBASE_PRIVATE_KEY, private_key);
    let (providers, project, email, key) = (providers?, project?, email?, key?);

    let on = providers.contains(&Provider::Firebase);
    let without_project = project.is_none() && (on || email.is_some() || key.is_some());
    if without_project {
        let why = "a project's id, with AUTH_PROVIDER=firebase or another FIREBASE_ variable";
        reader.unfit(&v::FIREBASE_PROJECT_ID, Expected::new(why));
    }
    let push = match (project.clone(), email, key) {
        (project, Some(client_email), Some(private_key)) => {
            Some(ServiceAccount { project_id: project?, client_email, private_key })
        }
        (_, None, None) => None,
        (_, None, Some(_)) => {
            reader.unfit(&v::FIREBASE_CLIENT_EMAIL, Expected::new("an address beside FIREBASE_PRIVATE_KEY"));
            return None;
        }
        (_, Some(_), None) => {
            reader.unfit(&v::FIREBASE_PRIVATE_KEY, Expected::new("a key beside FIREBASE_CLIENT_EMAIL"));
            return None;
        }
    };
    let auth = Auth { local: providers.contains(&Provider::Local), firebase: project.filter(|_| on) };
    (!without_project).then_some((auth, push))
}

fn provider(text: &str) -> Result<Provider, Expected> {
    match text {
        "local" => Ok(Provider::Local),
        "firebase" => Ok(Provider::Firebase),
        _ => Err(Expected::new("local, firebase or local,firebase")),
    }
}

fn project_id(text: &str) -> Result<String, Expected> {
    let fits = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    fits.then(|| text.to_owned())
        .ok_or(Expected::new("a project's id: lower-case letters, digits and hyphens"))
}

fn client_email(text: &str) -> Result<String, Expected> {
    let fits = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    fits.then(|| text.to_owned()).ok_or(Expected::new("a service account's address"))
}

/// An env file holds one line for each variable, so the key's newlines may come as `\n`.
fn private_key(text: &str) -> Result<Secret<String>, Expected> {
    let pem = text.replace("\\n", "\n");
    let fits = pem.starts_with("-----BEGIN ") && pem.contains("\n-----END ");
    fits.then(|| Secret::new(pem)).ok_or(Expected::new("a private key in PEM"))
}
