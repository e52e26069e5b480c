//! How a case of the protocol is tried: what is sent, what has to come back, and who ends it how.

use futures_util::{StreamExt as _, stream};

use super::{
    client::{Client, Got, close},
    pod::{Options, Pod},
};

/// How many are tried at once.
const AT_ONCE: usize = 24;

/// As the Autobahn testsuite numbers it.
pub(crate) struct Case {
    name: String,
    sent: Vec<Step>,
    heard: Vec<Got>,
    end: End,
}

enum Step {
    Send(Vec<u8>),
    /// Nothing goes on until this has come: what was sent before was right.
    Hear(Got),
}

enum End {
    /// The client says goodbye, which is answered.
    Ours,
    /// The server closes with one of these.
    Theirs(&'static [u16]),
}

impl Case {
    /// What is answered by `heard`, and then goodbye is said.
    pub(crate) fn right(name: impl Into<String>, sent: Vec<Vec<u8>>, heard: Vec<Got>) -> Self {
        Self { name: name.into(), sent: sent.into_iter().map(Step::Send).collect(), heard, end: End::Ours }
    }

    /// What is answered by `heard`, and then by a close with one of `codes`.
    pub(crate) fn closed(
        name: impl Into<String>,
        sent: Vec<Vec<u8>>,
        heard: Vec<Got>,
        codes: &'static [u16],
    ) -> Self {
        let sent = sent.into_iter().map(Step::Send).collect();
        Self { name: name.into(), sent, heard, end: End::Theirs(codes) }
    }

    /// What is sent after `heard` came, before all else.
    pub(crate) fn after(mut self, sent: Vec<Vec<u8>>, heard: Got) -> Self {
        let steps = sent.into_iter().map(Step::Send).chain([Step::Hear(heard)]);
        self.sent.splice(..0, steps);
        self
    }

    /// Tries it, written in pieces of `size`. Gives what is wrong.
    async fn attempt(&self, pod: &Pod, size: usize) -> Result<(), String> {
        let mut client = Client::connect(pod.address).await;
        let fails = |expected: &str, got: &Got| {
            let got = format!("{got:?}");
            let got = got.get(..200).unwrap_or(&got);
            Err(format!("{} in pieces of {size}: {expected}, not {got}", self.name))
        };
        for step in &self.sent {
            match step {
                Step::Send(bytes) => client.send(bytes, size).await,
                Step::Hear(expected) => match client.next().await {
                    got if got == *expected => {}
                    got => return fails(&format!("{expected:?} first"), &got),
                },
            }
        }
        for expected in &self.heard {
            match client.next().await {
                got if got == *expected => {}
                got => return fails("the answer", &got),
            }
        }
        let codes = match self.end {
            End::Ours => {
                client.send(&close(1000, b""), size).await;
                &[1000][..]
            }
            End::Theirs(codes) => codes,
        };
        match client.next().await {
            Got::Close(Some(code)) if codes.contains(&code) => {}
            got => return fails(&format!("a close with one of {codes:?}"), &got),
        }
        client.send(&close(1000, b""), size).await;
        match client.next().await {
            Got::End => Ok(()),
            got => fails("the end", &got),
        }
    }

    /// Octet by octet, unless that would take all day, and all at once.
    fn sizes(&self) -> [usize; 2] {
        let bytes: usize =
            self.sent.iter().map(|step| if let Step::Send(bytes) = step { bytes.len() } else { 0 }).sum();
        let small = match bytes {
            0..2_000 => 1,
            2_000..1_000_000 => 997,
            _ => 65_537,
        };
        [small, usize::MAX]
    }
}

/// Tries all `cases` on a pod of their own.
pub(crate) async fn hold(cases: Vec<Case>) {
    let pod = Pod::start(Options { port: 0, ..Options::default() }).await.unwrap();
    let count = cases.len();
    let attempts = cases.iter().flat_map(|case| case.sizes().map(|size| case.attempt(&pod, size)));
    let held: Vec<Result<(), String>> = stream::iter(attempts).buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<_> = held.into_iter().filter_map(Result::err).collect();
    pod.stop().await.unwrap();
    assert!(wrong.is_empty(), "of {count} cases:\n{}", wrong.join("\n"));
}
