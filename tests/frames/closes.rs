//! Cases 7: how a client says goodbye, rightly and wrongly.

use super::{
    cases::{Case, hold},
    client::{
        Got, close,
        opcode::{CLOSE, CONTINUATION, PING, TEXT},
        part, whole,
    },
};

const ANSWERED: &[u16] = &[1000];
const WRONG: &[u16] = &[1002];
const NOT_UTF8: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";

#[tokio::test]
async fn goodbyes_are_answered_when_they_are_right() {
    let (hello, bye) = (whole(TEXT, b"Hello World!"), close(1000, b""));
    let echo = || vec![Got::Text(b"Hello World!".to_vec())];
    let long = vec![b'*'; 256 * 1024];
    let cut_off = vec![part(TEXT, b"fragment1"), bye.clone(), whole(CONTINUATION, b"fragment2")];
    let late = vec![whole(TEXT, &long), hello.clone(), bye.clone(), whole(PING, b"")];
    let mut cases = vec![
        Case::right("7.1.1", vec![hello.clone()], echo()),
        // What was said before the goodbye keeps its answer
        Case::closed("7.1.1 at once", vec![hello.clone(), bye.clone()], echo(), ANSWERED),
        Case::closed("7.1.2", vec![bye.clone(), bye.clone()], Vec::new(), ANSWERED),
        Case::closed("7.1.3", vec![bye.clone(), whole(PING, b"")], Vec::new(), ANSWERED),
        Case::closed("7.1.4", vec![bye.clone(), hello], Vec::new(), ANSWERED),
        Case::closed("7.1.5", cut_off, Vec::new(), ANSWERED),
        Case::closed("7.1.6", late, vec![Got::Text(long), echo().remove(0)], ANSWERED),
        Case::closed("7.3.1", vec![whole(CLOSE, b"")], Vec::new(), ANSWERED),
        Case::closed("7.3.2", vec![whole(CLOSE, b"a")], Vec::new(), WRONG),
        Case::closed("7.3.3", vec![bye], Vec::new(), ANSWERED),
        Case::closed("7.3.4", vec![close(1000, b"Hello World!")], Vec::new(), ANSWERED),
        Case::closed("7.3.5", vec![close(1000, &[b'*'; 123])], Vec::new(), ANSWERED),
        Case::closed("7.3.6", vec![close(1000, &[b'*'; 124])], Vec::new(), WRONG),
        Case::closed("7.5.1", vec![close(1000, NOT_UTF8)], Vec::new(), &[1007]),
    ];
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        cases.push(Case::closed(format!("7.7: {code}"), vec![close(code, b"")], Vec::new(), ANSWERED));
    }
    for code in [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535] {
        cases.push(Case::closed(format!("7.9 and 7.13: {code}"), vec![close(code, b"")], Vec::new(), WRONG));
    }
    hold(cases).await;
}
