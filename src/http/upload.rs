//! `POST /parties/{id}/media`: a form with a file, streamed into the store as it comes.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    body::ticket,
    form::{self, Multipart},
    path::Id,
    problem::Problem,
    reply,
};
use crate::{
    domain::{
        caller::Caller,
        fields::{Fields, word},
        media::Mood,
        tag,
        text::Caption,
    },
    service::{
        error::Error,
        incoming::Complete,
        uploads::{Uploads, Words},
    },
};

/// Takes a file and what stands beside it; the parts may come in any order.
///
/// # Errors
///
/// A form that breaks a rule, or a refusal.
pub async fn upload(
    request: HttpRequest,
    caller: Caller,
    party: Id,
    form: Multipart,
    uploads: web::Data<Uploads>,
) -> Result<HttpResponse, Problem> {
    // Before a byte is read: who may not upload costs nothing
    uploads.admit(caller, party.0).await.map_err(|error| Problem::from(error).closing())?;
    // What is left of the body is not read: the connection is of no use after a refusal
    receive(&request, caller, party, form, &uploads).await.map_err(Problem::closing)
}

async fn receive(
    request: &HttpRequest,
    caller: Caller,
    party: Id,
    mut form: Multipart,
    uploads: &Uploads,
) -> Result<HttpResponse, Problem> {
    let mut file: Option<Complete> = None;
    let mut texts = serde_json::Map::new();
    for _ in 0..form::PARTS {
        let Some(part) = form::part(&mut form).await? else {
            return finish(request, caller, party, file, texts, uploads).await;
        };
        let name = part.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" if file.is_none() => {
                let incoming = uploads.begin(form::said(&part)).await?;
                file = Some(form::receive(part, incoming).await?.complete().await?);
            }
            "caption" | "mood" | "tags" if !texts.contains_key(&name) => {
                texts.insert(name, Value::String(form::text(part).await?));
            }
            "file" | "caption" | "mood" | "tags" => return Err(form::twice()),
            // As with the keys of an object: what is not known is passed over
            _ => _ = form::text(part).await?,
        }
    }
    Err(form::too_long())
}

async fn finish(
    request: &HttpRequest,
    caller: Caller,
    party: Id,
    file: Option<Complete>,
    texts: serde_json::Map<String, Value>,
    uploads: &Uploads,
) -> Result<HttpResponse, Problem> {
    let file = file.ok_or_else(form::without_file)?;
    let mut digest = Sha256::new().chain_update(file.sha256());
    for (name, text) in &texts {
        digest.update(format!("\n{name}={text}"));
    }
    let ticket = ticket(request, caller, &digest.finalize().into())?;
    let words = words(texts)?;
    let answer = uploads.finish(caller, party.0, file, &words, ticket.as_ref()).await?;
    reply::answer(&answer)
}

fn words(texts: serde_json::Map<String, Value>) -> Result<Words, Error> {
    let mut fields = Fields::new(texts);
    let caption = fields.optional("caption", Caption::read);
    let mood = fields.optional("mood", |value| match value.as_str() {
        Some("") => Ok(None),
        _ => word(Mood::named)(value).map(Some),
    });
    let tags = fields.optional("tags", |value| tag::read_all(&list(value)));
    let read = caption.zip(mood).zip(tags);
    let ((caption, mood), tags) = fields.finish(read)?;
    let caption = caption.filter(|caption| !caption.as_str().is_empty());
    Ok(Words { caption, mood: mood.flatten(), tags: tags.unwrap_or_default() })
}

/// In a form, tags are a list of JSON or stand between commas.
fn list(value: &Value) -> Value {
    let text = value.as_str().unwrap_or_default().trim();
    if text.starts_with('[') {
        return serde_json::from_str(text).unwrap_or_default();
    }
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(texts: Value) -> Result<Words, Error> {
        let Value::Object(texts) = texts else { panic!("an object") };
        words(texts)
    }

    #[test]
    fn tags_come_as_json_or_between_commas() {
        for (given, tags) in [
            ("", vec![]),
            ("Dance Floor, cake", vec!["dance-floor", "cake"]),
            (r#"["Dance Floor","cake"]"#, vec!["dance-floor", "cake"]),
        ] {
            assert_eq!(read(json!({ "tags": given })).unwrap().tags, tags, "{given}");
        }
        for wrong in [r#"["a""#, "[1]", "???"] {
            assert!(matches!(read(json!({ "tags": wrong })), Err(Error::Invalid(_))), "{wrong}");
        }
    }

    #[test]
    fn what_is_left_empty_in_a_form_is_none() {
        let empty = read(json!({ "mood": "", "caption": " ", "tags": "" })).unwrap();
        assert_eq!((empty.mood, empty.caption, empty.tags), (None, None, vec![]));
        assert_eq!(read(json!({ "mood": "HYPE" })).unwrap().mood, Some(Mood::Hype));
        assert!(read(json!({ "mood": "hype" })).is_err());
    }
}
