//! What the steps of a conversation are to the mechanism, in the words of a codec.

use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use party_gallery_actors::realtime::{Action, Frame, Join, Show};

use super::{
    protocol::{Data, Step},
    refusal::Refusal,
    rooms::{Room, heard_in, topic},
};

/// How a codec says what is for one session. Frames of one message follow each other.
pub(super) trait Words: Clone + Send + Sync + 'static {
    /// The answer to the request of that number.
    fn answer(&self, id: u64, data: &Data<'_>) -> Vec<Frame>;

    /// An event.
    fn emit(&self, event: &'static str, data: &Data<'_>) -> Vec<Frame>;

    /// The refusal of the request of that number, or of one without.
    fn refuse(&self, id: Option<u64>, refusal: Refusal) -> Vec<Frame>;
}

/// What is to be done for these steps, decided `now`.
pub(super) fn act_all(steps: Vec<Step<'_>>, words: &impl Words, now: Instant) -> Vec<Action> {
    steps.into_iter().map(|step| act(step, words, now)).collect()
}

fn act(step: Step<'_>, words: &impl Words, now: Instant) -> Action {
    match step {
        Step::Identify(principal) => Action::Identify(principal.identity(now)),
        Step::Answer(id, data) => send(words.answer(id, &data)),
        Step::Emit(event, data) => send(words.emit(event, &data)),
        Step::Refuse(id, refusal) => send(words.refuse(id, refusal)),
        Step::Close(close) => Action::Close(close),
        Step::Await { work, otherwise } => {
            let later = words.clone();
            Action::Run {
                work: work.map(move |steps| act_all(steps, &later, now)).boxed(),
                otherwise: act_all(otherwise, words, now),
            }
        }
        Step::Enter { party, room, place, head, epoch, since, heard_after, face, greeting } => {
            let words = words.clone();
            Action::Join(Join {
                topic: topic(party),
                room: room.number(),
                audience: heard_in(room, place),
                head,
                epoch: epoch.map(|epoch| epoch.as_u128()),
                since,
                heard_after,
                face: face.map(|face| Bytes::from(Box::<str>::from(face).into_string())),
                welcome: Box::new(move |joined| {
                    act_all(greeting(joined), &words, now).into_iter().flat_map(sent).collect()
                }),
            })
        }
        Step::Type { party, is_typing, answer } => {
            let words = words.clone();
            Action::Show(Show {
                topic: topic(party),
                room: Room::Chat.number(),
                is_on: is_typing,
                answer: Box::new(move |is_in| act_all(answer(is_in), &words, now)),
            })
        }
        Step::Leave(party, room) => Action::Leave(topic(party), room.number()),
    }
}

fn send(mut frames: Vec<Frame>) -> Action {
    match frames.pop() {
        Some(only) if frames.is_empty() => Action::Send(only),
        last => Action::SendAll(frames.into_iter().chain(last).collect()),
    }
}

fn sent(action: Action) -> Vec<Frame> {
    match action {
        Action::Send(frame) => vec![frame],
        Action::SendAll(frames) => frames,
        _ => Vec::new(),
    }
}
