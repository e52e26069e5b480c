//! Where else a user is to be found: one link for each platform, and to that platform alone.

use serde::Serialize;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::fields::{Fields, Invalid, Wrong, word};

/// The longest link, in characters.
const LENGTH: usize = 300;

/// A platform that can be linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// instagram.com
    Instagram,
    /// tiktok.com
    Tiktok,
    /// twitter.com and x.com
    Twitter,
    /// facebook.com
    Facebook,
    /// pinterest.com and its countries'
    Pinterest,
    /// spotify.com
    Spotify,
}

/// A link to a user on a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SocialLink {
    /// Which platform.
    pub platform: Platform,
    /// Where on it.
    pub url: String,
}

/// Where Pinterest is, beside pinterest.com. Whatever else is called so is somebody else's.
const PINTEREST: [&str; 20] = [
    "pinterest.at",
    "pinterest.ca",
    "pinterest.ch",
    "pinterest.cl",
    "pinterest.co.kr",
    "pinterest.co.uk",
    "pinterest.com.au",
    "pinterest.com.mx",
    "pinterest.de",
    "pinterest.dk",
    "pinterest.es",
    "pinterest.fr",
    "pinterest.ie",
    "pinterest.it",
    "pinterest.jp",
    "pinterest.nz",
    "pinterest.ph",
    "pinterest.pt",
    "pinterest.ru",
    "pinterest.se",
];

impl Platform {
    const ALL: [Self; 6] =
        [Self::Instagram, Self::Tiktok, Self::Twitter, Self::Facebook, Self::Pinterest, Self::Spotify];

    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instagram => "instagram",
            Self::Tiktok => "tiktok",
            Self::Twitter => "twitter",
            Self::Facebook => "facebook",
            Self::Pinterest => "pinterest",
            Self::Spotify => "spotify",
        }
    }

    /// The platform of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.name() == name)
    }

    /// Whether that host, in lower case, is one of its own.
    fn owns(self, host: &str) -> bool {
        let bare = ["www.", "m."].iter().find_map(|prefix| host.strip_prefix(prefix)).unwrap_or(host);
        match self {
            Self::Instagram => bare == "instagram.com",
            Self::Tiktok => bare == "tiktok.com",
            Self::Twitter => matches!(bare, "twitter.com" | "x.com"),
            Self::Facebook => bare == "facebook.com",
            Self::Pinterest => bare == "pinterest.com" || PINTEREST.contains(&bare) || is_of_country(host),
            Self::Spotify => matches!(bare, "spotify.com" | "open.spotify.com"),
        }
    }
}

/// `de.pinterest.com`.
fn is_of_country(host: &str) -> bool {
    let country = host.strip_suffix(".pinterest.com").unwrap_or_default();
    country.len() == 2 && country.bytes().all(|b| b.is_ascii_lowercase())
}

/// Reads a list of links, at most one to each platform; gives them in the order of the platforms.
///
/// # Errors
///
/// All that is wrong.
pub fn read_all(links: &[Value]) -> Result<Vec<SocialLink>, Invalid> {
    // More than there are platforms cannot be right: none of them is looked at
    if links.len() > Platform::ALL.len() {
        return Err(Invalid::one("", &Wrong::new("TOO_MANY", "has more links than there are platforms")));
    }
    let mut fields = Fields::new(Map::new());
    let mut read: Vec<SocialLink> = Vec::new();
    for (number, link) in links.iter().enumerate() {
        let link = fields.nested(&number.to_string(), link, |link| {
            let platform = link.required("platform", word(Platform::named));
            let url = link.required("url", |url| match platform {
                Some(platform) => address(platform, url),
                // What it should lead to is not known
                None => Ok(String::new()),
            });
            let platform = platform?;
            if read.iter().any(|other| other.platform == platform) {
                link.refuse("platform", &Wrong::new("REPEATED", "is given twice"));
            }
            Some(SocialLink { platform, url: url? })
        });
        read.extend(link);
    }
    read.sort_by_key(|link| link.platform);
    fields.finish(Some(read))
}

/// The address as a browser would write it.
fn address(platform: Platform, value: &Value) -> Result<String, Wrong> {
    const TOO_LONG: Wrong = Wrong::new("TOO_LONG", "has more than 300 characters");
    let no_url = || Wrong::new("INVALID_URL", "must be an https URL without a user or a port");
    let text = value.as_str().ok_or(Wrong::new("INVALID_TYPE", "must be a string"))?.trim();
    if text.len() > 4 * LENGTH {
        return Err(TOO_LONG);
    }
    // Browsers take some of these for something else than they look like
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(no_url());
    }
    let url = Url::parse(text).map_err(|_details| no_url())?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    if url.scheme() != "https" || !is_plain {
        return Err(no_url());
    }
    let Some(Host::Domain(host)) = url.host() else { return Err(no_url()) };
    if !platform.owns(host) {
        return Err(Wrong::new("WRONG_HOST", "must lead to its platform"));
    }
    // What is not ASCII has become longer
    if url.as_str().len() > LENGTH { Err(TOO_LONG) } else { Ok(url.into()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_link_leads_to_its_platform_and_nowhere_else() {
        for (platform, url, code) in [
            ("instagram", "https://instagram.com/ada", None),
            ("instagram", "https://www.instagram.com/ada/?hl=en#top", None),
            ("instagram", " HTTPS://WWW.Instagram.COM/ada ", None),
            ("instagram", "https://m.instagram.com/ada", None),
            ("instagram", "https://instagram.com", None),
            ("instagram", "https://instagram.com:443/ada", None),
            ("tiktok", "https://www.tiktok.com/@ada", None),
            ("twitter", "https://twitter.com/ada", None),
            ("twitter", "https://x.com/ada", None),
            ("facebook", "https://m.facebook.com/ada", None),
            ("pinterest", "https://pinterest.com/ada", None),
            ("pinterest", "https://www.pinterest.co.uk/ada", None),
            ("pinterest", "https://pinterest.de/ada", None),
            ("pinterest", "https://de.pinterest.com/ada", None),
            ("spotify", "https://open.spotify.com/user/ada", None),
            ("spotify", "https://spotify.com/ada", None),
            ("instagram", "http://instagram.com/ada", Some("INVALID_URL")),
            ("instagram", "javascript:alert(1)//instagram.com", Some("INVALID_URL")),
            ("instagram", "//instagram.com/ada", Some("INVALID_URL")),
            ("instagram", "instagram.com/ada", Some("INVALID_URL")),
            ("instagram", "https://ada@instagram.com/", Some("INVALID_URL")),
            ("instagram", "https://ada:pw@instagram.com/", Some("INVALID_URL")),
            ("instagram", "https://instagram.com@evil.example/", Some("INVALID_URL")),
            ("instagram", "https://instagram.com:8443/ada", Some("INVALID_URL")),
            ("instagram", "https://127.0.0.1/ada", Some("INVALID_URL")),
            ("instagram", "https://[::1]/ada", Some("INVALID_URL")),
            ("instagram", "https://", Some("INVALID_URL")),
            ("instagram", "", Some("INVALID_URL")),
            ("instagram", "https://evil.example\\@instagram.com/", Some("INVALID_URL")),
            ("instagram", "https://insta\ngram.com/ada", Some("INVALID_URL")),
            ("instagram", "https://instagram.com/a da", Some("INVALID_URL")),
            ("instagram", "https://evil.example/instagram.com", Some("WRONG_HOST")),
            ("instagram", "https://instagram.com.evil.example/", Some("WRONG_HOST")),
            ("instagram", "https://evilinstagram.com/", Some("WRONG_HOST")),
            ("instagram", "https://evil.instagram.com/", Some("WRONG_HOST")),
            ("instagram", "https://www.m.instagram.com/", Some("WRONG_HOST")),
            ("instagram", "https://instagram.com./ada", Some("WRONG_HOST")),
            ("instagram", "https://instagrаm.com/ada", Some("WRONG_HOST")),
            ("instagram", "https://tiktok.com/@ada", Some("WRONG_HOST")),
            ("twitter", "https://ax.com/ada", Some("WRONG_HOST")),
            ("pinterest", "https://pinterest.evil/ada", Some("WRONG_HOST")),
            ("pinterest", "https://pinterest.tk/ada", Some("WRONG_HOST")),
            ("pinterest", "https://d3.pinterest.com/ada", Some("WRONG_HOST")),
            ("spotify", "https://open.open.spotify.com/", Some("WRONG_HOST")),
        ] {
            let read = address(Platform::named(platform).unwrap(), &json!(url));
            assert_eq!(read.err().map(|wrong| wrong.code), code, "{platform} {url}");
        }
        assert!(address(Platform::Twitter, &json!(7)).is_err());
    }

    #[test]
    fn a_link_has_three_hundred_characters_at_most_as_it_is_kept() {
        let link = |path: &str| format!("https://x.com/{path}");
        for (text, fits) in [
            (link(&"a".repeat(286)), true),
            (link(&"a".repeat(287)), false),
            (link(&"ä".repeat(47)), true),
            (link(&"ä".repeat(48)), false),
            (link(&"a".repeat(100_000)), false),
        ] {
            let read = address(Platform::Twitter, &json!(text));
            assert_eq!(read.is_ok(), fits, "{} characters", text.chars().count());
            let kept = read.unwrap_or_default();
            assert!(!fits || address(Platform::Twitter, &json!(kept)).as_ref() == Ok(&kept), "read again");
        }
    }

    #[test]
    fn all_that_is_wrong_with_a_list_is_told_at_once() {
        let links = json!([
            { "platform": "spotify", "url": "https://spotify.com/ada" },
            { "platform": "myspace", "url": "https://myspace.com/ada" },
            { "platform": "spotify", "url": "https://open.spotify.com/ada" },
            { "platform": "twitter" },
            "https://x.com/ada",
            { "platform": "tiktok", "url": "https://x.com/ada" },
        ]);
        let Value::Array(links) = links else { panic!("a list") };
        let told: Vec<_> = read_all(&links)
            .unwrap_err()
            .0
            .into_iter()
            .map(|error| format!("{} {}", error.path, error.code))
            .collect();
        let expected = [
            "1.platform UNKNOWN_VALUE",
            "2.platform REPEATED",
            "3.url REQUIRED",
            "4 INVALID_TYPE",
            "5.url WRONG_HOST",
        ];
        assert_eq!(told, expected);
        assert!(read_all(&vec![json!({}); 7]).is_err());
        assert_eq!(read_all(&[]).unwrap(), []);
    }

    #[test]
    fn links_stand_in_the_order_of_their_platforms() {
        let all = Platform::ALL.into_iter().rev();
        let hosts = all.map(|platform| {
            let host = if platform == Platform::Twitter { "x" } else { platform.name() };
            json!({ "platform": platform.name(), "url": format!("https://{host}.com/ada"), "more": 1 })
        });
        let read = read_all(&hosts.collect::<Vec<_>>()).unwrap();
        assert_eq!(read.iter().map(|link| link.platform).collect::<Vec<_>>(), Platform::ALL);
        assert_eq!(
            serde_json::to_value(&read[0]).unwrap(),
            json!({ "platform": "instagram", "url": "https://instagram.com/ada" })
        );
    }
}
