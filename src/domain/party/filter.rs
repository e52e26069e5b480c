//! What somebody looks for in the list of parties.

use serde_json::Value;
use uuid::Uuid;

use super::Status;
use crate::domain::{
    fields::{Fields, Wrong, id, word, written_flag},
    tag,
    text::{self, Line},
};

/// Kilometres where none are named.
const RADIUS: f64 = 10.0;
const MOST_RADIUS: f64 = 100.0;
/// The most words that are looked for.
const WORDS: usize = 10;

/// What somebody looks for; what is absent does not matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// In this status.
    pub status: Option<Status>,
    /// Of this host.
    pub host: Option<HostFilter>,
    /// With this tag, a slug.
    pub tag: Option<String>,
    /// Still to begin.
    pub upcoming: bool,
    /// On now.
    pub live: bool,
    /// Not far from here.
    pub near: Option<Near>,
    /// With words that begin like these; lower case, letters and digits only.
    pub words: Option<Vec<String>>,
}

/// Whose parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFilter {
    /// The caller's own.
    Me,
    /// Somebody's.
    Of(Uuid),
}

/// A circle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// Of its middle, in degrees.
    pub latitude: f64,
    /// Of its middle, in degrees.
    pub longitude: f64,
    /// In kilometres.
    pub radius_km: f64,
}

impl Filter {
    /// Reads one from a query. `None`: something is wrong.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        let status = fields.optional("status", word(Status::named));
        let host = fields.optional("hostId", host);
        let tag = fields.optional("tag", tag::read);
        let upcoming = fields.optional("upcoming", written_flag);
        let live = fields.optional("live", written_flag);
        let near = fields.optional("near", point);
        let radius_km = fields.optional("radiusKm", radius);
        let words = fields.optional("q", words);
        let radius_km = radius_km?.unwrap_or(RADIUS);
        Some(Self {
            status: status?,
            host: host?,
            tag: tag?,
            upcoming: upcoming?.unwrap_or(false),
            live: live?.unwrap_or(false),
            near: near?.map(|(latitude, longitude)| Near { latitude, longitude, radius_km }),
            words: words?,
        })
    }
}

fn host(value: &Value) -> Result<HostFilter, Wrong> {
    if value.as_str() == Some("me") { Ok(HostFilter::Me) } else { id(value).map(HostFilter::Of) }
}

fn point(value: &Value) -> Result<(f64, f64), Wrong> {
    let read = || {
        let (latitude, longitude) = value.as_str()?.split_once(',')?;
        let degrees = |text: &str, most: f64| {
            text.trim().parse().ok().filter(|degrees| (-most..=most).contains(degrees))
        };
        Some((degrees(latitude, 90.0)?, degrees(longitude, 180.0)?))
    };
    read().ok_or(Wrong::new("INVALID_POINT", "must be latitude,longitude in degrees"))
}

fn radius(value: &Value) -> Result<f64, Wrong> {
    let km = value.as_str().and_then(|text| text.parse().ok());
    let km = km.filter(|km: &f64| *km > 0.0 && *km <= MOST_RADIUS);
    km.ok_or(Wrong::new("OUT_OF_RANGE", "must be a number above 0 and at most 100"))
}

fn words(value: &Value) -> Result<Vec<String>, Wrong> {
    let text = Line::<1, 100>::read(value)?.as_str().to_lowercase();
    Ok(text::words(&text).take(WORDS).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &[(&str, &str)]) -> Result<Filter, Vec<String>> {
        let object = query.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        let mut fields = Fields::new(object);
        let filter = Filter::read(&mut fields);
        fields.finish(filter).map_err(|invalid| invalid.0.into_iter().map(|error| error.path).collect())
    }

    #[test]
    fn a_filter_takes_what_the_contract_names() {
        assert_eq!(read(&[]).unwrap(), Filter::default());
        let near = read(&[("near", "50.94, -6.96"), ("radiusKm", "2.5")]).unwrap().near.unwrap();
        assert_eq!((near.latitude, near.longitude, near.radius_km), (50.94, -6.96, 2.5));
        assert_eq!(read(&[("hostId", "me")]).unwrap().host, Some(HostFilter::Me));
        assert_eq!(read(&[("tag", "Hip Hop")]).unwrap().tag.as_deref(), Some("hip-hop"));
        assert_eq!(read(&[("q", "Beach & sun!")]).unwrap().words.unwrap(), ["beach", "sun"]);
        assert_eq!(read(&[("q", "':*|")]).unwrap().words.unwrap().len(), 0);
        assert_eq!(read(&[("q", "Cafe\u{301} ปาร์ตี้ \u{301}")]).unwrap().words.unwrap(), ["café", "ปาร์ตี้"]);
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (name, value) in [
            ("status", "live"),
            ("hostId", "you"),
            ("tag", "!"),
            ("upcoming", "1"),
            ("live", "yes"),
            ("near", "50"),
            ("near", "91,0"),
            ("near", "NaN,0"),
            ("near", "1,2,3"),
            ("radiusKm", "0"),
            ("radiusKm", "101"),
            ("radiusKm", "NaN"),
            ("q", ""),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err(), [name], "{name}={value}");
        }
    }
}
