//! What clients do in the rooms of parties: follow, leave, talk; and with what they were told.

use std::{sync::Arc, time::Instant};

use futures_util::FutureExt;
use party_gallery_actors::realtime::Joined;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    principal::Principal,
    protocol::{Data, Greeting, Refused, Request, Step},
    recovery::Track,
    refusal::Refusal,
    rooms::{Admission, ChatAdmission, Place, Room, Rooms, Utterance},
};
use crate::domain::presence::Status;

/// Where somebody wants to go on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resume {
    party_id: Uuid,
    since: Option<i64>,
    epoch: Option<String>,
}

/// How much may be marked as read at once.
const READ_AT_ONCE: usize = 100;

/// What clients do in the rooms of parties, and with what they were told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    Follow(Resume),
    Talk(Uuid),
    Say(Utterance),
    Leave(Uuid, Room),
    Type(Uuid, bool),
    BeSeen(Status),
    Check(Vec<Uuid>),
    Read(Vec<Uuid>),
}

/// How many people may be asked for at once.
const CHECKED: usize = 100;

impl Visit {
    /// What the request asks, if it is one of these.
    pub(super) fn parse(request: &Request<'_>) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Party {
            party_id: Uuid,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Typing {
            party_id: Uuid,
            is_typing: bool,
        }
        #[derive(Deserialize)]
        struct Shown {
            status: Status,
        }
        let party = || request.parse::<Party>(Refusal::NO_PARTY).map(|party| party.party_id);
        match request.event {
            "party:join_live" => {
                let resume: Resume = request.parse(Refusal::BAD_RESUME)?;
                let is_possible = resume.since.is_none_or(|since| since >= 0);
                is_possible.then_some(Self::Follow(resume)).ok_or(Refusal::BAD_RESUME)
            }
            "party:leave_live" => Ok(Self::Leave(party()?, Room::Live)),
            "chat:join" => Ok(Self::Talk(party()?)),
            "chat:leave" => Ok(Self::Leave(party()?, Room::Chat)),
            "chat:typing" => {
                let typing: Typing = request.parse(Refusal::BAD_TYPING)?;
                Ok(Self::Type(typing.party_id, typing.is_typing))
            }
            "presence:status" => {
                let shown: Shown = request.parse(Refusal::BAD_STATUS)?;
                Ok(Self::BeSeen(shown.status))
            }
            "presence:check" => {
                let people: Vec<Uuid> = request.parse(Refusal::BAD_PEOPLE)?;
                (people.len() <= CHECKED).then_some(Self::Check(people)).ok_or(Refusal::BAD_PEOPLE)
            }
            "chat:message" => request.parse(Refusal::BAD_MESSAGE).map(Self::Say),
            "notifications:mark_read" => {
                let ids: Vec<Uuid> = request.parse(Refusal::BAD_IDS)?;
                (ids.len() <= READ_AT_ONCE).then_some(Self::Read(ids)).ok_or(Refusal::BAD_IDS)
            }
            _ => Err(Refusal::UNKNOWN),
        }
    }

    /// Decides what follows; `refused` says what follows a refusal that is known later only. Rooms are noted in `track`
    /// before they are entered, so that whoever was told of one finds it again.
    pub(super) fn decide(
        self,
        id: Option<u64>,
        rooms: &dyn Rooms,
        (caller, track): (Principal, &Track),
        refused: Refused,
        now: Instant,
    ) -> Result<Vec<Step<'static>>, Refusal> {
        let (work, failed) = match self {
            Self::Leave(party, room) => {
                let answer = id.map(|id| Step::Answer(id, Data::Echo(None)));
                let steps = [Some(Step::Leave(party, room)), answer].into_iter().flatten().collect();
                let Some(forgetting) = track.leave(party, room) else { return Ok(steps) };
                (forgetting.map(move |forgotten| forgotten.map(|()| steps)).boxed(), Refusal::NOT_NOW)
            }
            Self::Type(party, is_typing) => {
                let answer = Box::new(move |is_in| match is_in {
                    true => id.map(|id| Step::Answer(id, Data::Echo(None))).into_iter().collect(),
                    false => refused(id, Refusal::NOT_IN_CHAT),
                });
                return Ok(vec![Step::Type { party, is_typing, answer }]);
            }
            Self::BeSeen(status) => {
                rooms.be_seen(person(caller)?, status, now);
                return Ok(id.map(|id| Step::Answer(id, Data::Echo(None))).into_iter().collect());
            }
            Self::Check(people) => {
                let seen = rooms.check(person(caller)?, people, now);
                let answer = move |seen| id.map(|id| Step::Answer(id, Data::There(seen)));
                let work = seen.map(move |seen| Ok(answer(seen?).into_iter().collect()));
                (work.boxed(), Refusal::NOT_NOW)
            }
            Self::Follow(resume) => {
                let admission = rooms.watch(caller, resume.party_id);
                let (later, track) = (Arc::clone(&refused), track.clone());
                let work = async move {
                    let admission = admission.await?;
                    let (party, since) = (resume.party_id, resume.since.unwrap_or(admission.seq));
                    let steps = follow(id, &resume, admission, later)?;
                    track.enter(party, Room::Live, since).await?;
                    Ok(steps)
                };
                (work.boxed(), Refusal::NOT_NOW)
            }
            Self::Talk(party) => {
                let (admission, later) = (rooms.talk(caller, party), Arc::clone(&refused));
                let track = track.clone();
                let work = async move {
                    let admission = admission.await?;
                    track.enter(party, Room::Chat, admission.seq).await?;
                    Ok(talk(id, party, admission, later))
                };
                (work.boxed(), Refusal::NOT_NOW)
            }
            Self::Read(told) => {
                let reading = rooms.mark_read(caller, told);
                let answer = move |()| id.map(|id| Step::Answer(id, Data::Echo(None)));
                let work = reading.map(move |read| Ok(answer(read?).into_iter().collect()));
                (work.boxed(), Refusal::NOT_NOW)
            }
            Self::Say(said) => {
                let saying = rooms.say(caller, said);
                let answer = move |message| id.map(|id| Step::Answer(id, Data::Said { message }));
                let work = saying.map(move |message| Ok(answer(message?).into_iter().collect()));
                (work.boxed(), Refusal::WHO_KNOWS)
            }
        };
        let work = work.map(move |steps| steps.unwrap_or_else(|refusal| refused(id, refusal)));
        Ok(vec![Step::Await { work: work.boxed(), otherwise: vec![Step::Refuse(id, failed)] }])
    }
}

/// The person who speaks: screens are nobody.
fn person(caller: Principal) -> Result<Uuid, Refusal> {
    caller.caller().person().ok_or(Refusal::NO_PERSON)
}

/// What follows once somebody may follow a party.
fn follow(
    id: Option<u64>,
    resume: &Resume,
    admission: Admission,
    refused: Refused,
) -> Result<Vec<Step<'static>>, Refusal> {
    let Admission { seq: head, epoch, place, face } = admission;
    let party_id = resume.party_id;
    let is_other_history = resume.epoch.as_ref().is_some_and(|known| *known != epoch.to_string());
    if is_other_history || resume.since.is_some_and(|since| since > head) {
        return Err(Refusal::RESYNC);
    }
    let greeting: Greeting = Box::new(move |joined| {
        greet(id, joined, &refused, |seq, viewer_count, replayed| {
            let live = Data::Live { party_id, seq, epoch, viewer_count, replayed };
            id.map(|id| Step::Answer(id, live)).into_iter().collect()
        })
    });
    let room = Room::Live;
    let (epoch, since) = (Some(epoch), resume.since);
    let heard_after = None;
    Ok(vec![Step::Enter { party: party_id, room, place, head, epoch, since, heard_after, face, greeting }])
}

/// What follows once somebody may talk.
fn talk(id: Option<u64>, party: Uuid, admission: ChatAdmission, refused: Refused) -> Vec<Step<'static>> {
    let ChatAdmission { seq: head, messages, face } = admission;
    let greeting: Greeting = Box::new(move |joined| {
        // What was said after the messages were read has been sent just now
        greet(id, joined, &refused, |_seq, _viewers, _replayed| {
            let answer = Data::History { party_id: None, messages: messages.clone(), seq: head };
            let event = Data::History { party_id: Some(party), messages, seq: head };
            let answer = id.map(|id| Step::Answer(id, answer));
            answer.into_iter().chain([Step::Emit("chat:history", event)]).collect()
        })
    });
    vec![Step::Enter {
        party,
        room: Room::Chat,
        place: Place::Attendee,
        head,
        epoch: None,
        since: Some(head),
        heard_after: None,
        face,
        greeting,
    }]
}

/// What a join is answered with.
pub(super) fn greet(
    id: Option<u64>,
    joined: Joined,
    refused: &Refused,
    live: impl FnOnce(i64, usize, u64) -> Vec<Step<'static>>,
) -> Vec<Step<'static>> {
    let refusal = match joined {
        Joined::Live { seq, replayed, present } => return live(seq, present, replayed),
        Joined::TooMany => Refusal::TOO_MANY_ROOMS,
        Joined::Expired => Refusal::RESYNC,
        Joined::Left => Refusal::LEFT,
        Joined::Removed => Refusal::REMOVED,
    };
    refused(id, refusal)
}
