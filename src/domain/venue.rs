//! Where a party is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    fields::{Fields, Wrong},
    text::{Address, VenueName},
};

/// Where a party is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Venue {
    /// What the place is called.
    pub name: String,
    /// Street and number.
    pub address: Option<String>,
    /// Its city.
    pub city: Option<String>,
    /// Its country.
    pub country: Option<String>,
    /// In degrees, north positive; never without a longitude.
    pub latitude: Option<f64>,
    /// In degrees, east positive.
    pub longitude: Option<f64>,
    /// A map's own name for it.
    pub place_id: Option<String>,
}

impl Venue {
    /// Reads one. `None`: something is wrong with it.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        let text = |value: &Value| {
            Address::read(value).map(|line| Some(line.as_str().to_owned()).filter(|text| !text.is_empty()))
        };
        let name = fields.required("name", VenueName::read);
        let address = fields.optional("address", text);
        let city = fields.optional("city", text);
        let country = fields.optional("country", text);
        let latitude = fields.optional("latitude", degrees(90.0));
        let longitude = fields.optional("longitude", degrees(180.0));
        let place_id = fields.optional("placeId", text);
        let (latitude, longitude) = (latitude?, longitude?);
        if latitude.is_some() != longitude.is_some() {
            let missing = if latitude.is_some() { "longitude" } else { "latitude" };
            fields.refuse(missing, &Wrong::new("REQUIRED", "is required beside the other"));
            return None;
        }
        Some(Self {
            name: name?.as_str().to_owned(),
            address: address?.flatten(),
            city: city?.flatten(),
            country: country?.flatten(),
            latitude,
            longitude,
            place_id: place_id?.flatten(),
        })
    }
}

/// Reads degrees from `-most` to `most`.
pub fn degrees(most: f64) -> impl FnOnce(&Value) -> Result<f64, Wrong> {
    move |value| {
        let degrees = value.as_f64().filter(|degrees| (-most..=most).contains(degrees));
        degrees.ok_or_else(|| Wrong {
            code: "OUT_OF_RANGE",
            message: format!("must be a number from -{most} to {most}").into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(venue: Value) -> Result<Venue, Vec<String>> {
        let Value::Object(object) = venue else { panic!("an object") };
        let mut fields = Fields::new(object);
        let venue = Venue::read(&mut fields);
        fields.finish(venue).map_err(|invalid| invalid.0.into_iter().map(|error| error.path).collect())
    }

    #[test]
    fn a_venue_needs_a_name_and_both_degrees_or_none() {
        for (venue, wrong) in [
            (json!({ "name": "Club" }), &[][..]),
            (json!({ "name": "Club", "latitude": 50.9, "longitude": -180, "city": null }), &[]),
            (json!({ "latitude": 91, "longitude": "x" }), &["name", "latitude", "longitude"]),
            (json!({ "name": "Club", "latitude": 1 }), &["longitude"]),
            (json!({ "name": "Club", "longitude": 1 }), &["latitude"]),
            (json!({ "name": "n".repeat(201), "address": "a".repeat(501) }), &["name", "address"]),
        ] {
            assert_eq!(read(venue.clone()).err().unwrap_or_default(), wrong, "{venue}");
        }
    }

    #[test]
    fn what_is_said_to_be_nothing_is_nothing() {
        let empty = json!({ "name": "Club", "address": "", "city": " ", "country": "", "placeId": "" });
        assert_eq!(read(empty), read(json!({ "name": "Club" })));
        assert_eq!(read(json!({ "name": " " })), Err(vec!["name".to_owned()]), "a place has a name");
    }

    #[test]
    fn it_is_kept_as_it_is_shown() {
        let venue = read(json!({ "name": "Club", "latitude": 1.5, "longitude": 2, "placeId": "x" })).unwrap();
        let kept = serde_json::to_value(&venue).unwrap();
        assert_eq!(kept["placeId"], "x");
        assert!(kept["city"].is_null());
        assert_eq!(serde_json::from_value::<Venue>(kept).unwrap(), venue);
    }
}
