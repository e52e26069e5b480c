//! The address by which people reach the service, and the origins that may call it.

use std::str::FromStr;

use url::Url;

use super::problem::Expected;

/// `PUBLIC_URL`: links are made from it, never from a request's `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// An absolute link to a path that starts with `/`: `/j#CODE` becomes `https://party.example/j#CODE`.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.0.as_str().trim_end_matches('/'))
    }

    /// The URL itself.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Its origin, which may always call the service.
    pub fn origin(&self) -> Origin {
        Origin(self.0.origin().ascii_serialization())
    }
}

impl FromStr for PublicUrl {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        let bare = |url: &Url| url.query().is_none();
        web(text).filter(bare).map(Self).ok_or(Expected::new("a URL such as https://party.example"))
    }
}

/// `https://app.example`: scheme, host and port as a browser sends them in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// As a browser writes it: lower case, without a default port or a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        let bare = |url: &Url| url.query().is_none() && url.path() == "/";
        web(text)
            .filter(bare)
            .map(|url| Self(url.origin().ascii_serialization()))
            .ok_or(Expected::new("a comma list of origins such as https://app.example,http://localhost:5173"))
    }
}

/// An http or https URL without credentials and fragment.
fn web(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (plain && matches!(url.scheme(), "http" | "https") && text.contains("://")).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_made_from_the_public_url() {
        for (base, link) in [
            ("https://party.example", "https://party.example/j#CODE"),
            ("https://party.example/", "https://party.example/j#CODE"),
            ("http://localhost:3000", "http://localhost:3000/j#CODE"),
            ("https://example.com/party/", "https://example.com/party/j#CODE"),
        ] {
            assert_eq!(base.parse::<PublicUrl>().unwrap().link("/j#CODE"), link);
        }
    }

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for (text, origin) in [
            ("https://App.Example:443/", "https://app.example"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), origin);
        }
        assert_eq!(
            "https://a.example/x".parse::<PublicUrl>().unwrap().origin().as_str(),
            "https://a.example"
        );
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for text in [
            "",
            "*",
            "party.example",
            "ftp://party.example",
            "https:party.example",
            "https://",
            "https://u:p@a.example",
            "https://a.example/?q",
            "https://a.example/#f",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
        assert!("https://a.example/path".parse::<Origin>().is_err());
    }
}
