//! Cases 6: texts that are UTF-8, and texts that are not.

use super::{
    cases::{Case, hold},
    client::{
        Got,
        opcode::{CONTINUATION, PING, TEXT},
        part, whole,
    },
};

const INVALID: &[u16] = &[1007];
const KOSME: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
const GREETING: &[u8] = "Hello-µ@ßöäüàá-UTF-8!!".as_bytes();
/// A surrogate between words, and a scalar above the last.
const SURROGATE: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";
const ABOVE: &[u8] = b"\xf4\x90\x80\x80";

/// 6.5 to 6.23, after <https://www.cl.cam.ac.uk/~mgk25/ucs/examples/UTF-8-test.txt>; what is valid among them, `std` says.
const TEXTS: &[(&str, &[&[u8]])] = &[
    (
        "6.5",
        &[
            b"hello\x24world",
            b"hello\xc2\xa2world",
            b"hello\xe2\x82\xacworld",
            b"hello\xf0\xa4\xad\xa2world",
            KOSME,
        ],
    ),
    ("6.7", &[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]),
    ("6.8", &[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]),
    ("6.9", &[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]),
    ("6.10", &[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"]),
    ("6.11", &[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", ABOVE]),
    (
        "6.12",
        &[
            b"\x80",
            b"\xbf",
            b"\x80\xbf",
            b"\x80\xbf\x80",
            b"\x80\xbf\x80\xbf",
            b"\x80\xbf\x80\xbf\x80",
            b"\x80\xbf\x80\xbf\x80\xbf",
        ],
    ),
    (
        "6.14",
        &[
            b"\xc0",
            b"\xe0\x80",
            b"\xf0\x80\x80",
            b"\xf8\x80\x80\x80",
            b"\xfc\x80\x80\x80\x80",
            b"\xdf",
            b"\xef\xbf",
            b"\xf7\xbf\xbf",
            b"\xfb\xbf\xbf\xbf",
            b"\xfd\xbf\xbf\xbf\xbf",
        ],
    ),
    ("6.15", &[b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf"]),
    ("6.16", &[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]),
    (
        "6.17",
        &[
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xf0\x80\x80\xaf",
            b"\xf8\x80\x80\x80\xaf",
            b"\xfc\x80\x80\x80\x80\xaf",
        ],
    ),
    (
        "6.18",
        &[
            b"\xc1\xbf",
            b"\xe0\x9f\xbf",
            b"\xf0\x8f\xbf\xbf",
            b"\xf8\x87\xbf\xbf\xbf",
            b"\xfc\x83\xbf\xbf\xbf\xbf",
        ],
    ),
    (
        "6.19",
        &[
            b"\xc0\x80",
            b"\xe0\x80\x80",
            b"\xf0\x80\x80\x80",
            b"\xf8\x80\x80\x80\x80",
            b"\xfc\x80\x80\x80\x80\x80",
        ],
    ),
    (
        "6.20",
        &[
            b"\xed\xa0\x80",
            b"\xed\xad\xbf",
            b"\xed\xae\x80",
            b"\xed\xaf\xbf",
            b"\xed\xb0\x80",
            b"\xed\xbe\x80",
            b"\xed\xbf\xbf",
        ],
    ),
    (
        "6.21",
        &[
            b"\xed\xa0\x80\xed\xb0\x80",
            b"\xed\xa0\x80\xed\xbf\xbf",
            b"\xed\xad\xbf\xed\xb0\x80",
            b"\xed\xad\xbf\xed\xbf\xbf",
            b"\xed\xae\x80\xed\xb0\x80",
            b"\xed\xae\x80\xed\xbf\xbf",
            b"\xed\xaf\xbf\xed\xb0\x80",
            b"\xed\xaf\xbf\xed\xbf\xbf",
        ],
    ),
    (
        "6.23",
        &[
            b"\xef\xbf\xb9",
            b"\xef\xbf\xba",
            b"\xef\xbf\xbb",
            b"\xef\xbf\xbc",
            b"\xef\xbf\xbd",
            b"\xef\xbf\xbe",
            b"\xef\xbf\xbf",
        ],
    ),
];

fn judged(name: impl Into<String>, sent: Vec<Vec<u8>>, payload: &[u8]) -> Case {
    match std::str::from_utf8(payload) {
        Ok(_) => Case::right(name, sent, vec![Got::Text(payload.to_vec())]),
        Err(_) => Case::closed(name, sent, Vec::new(), INVALID),
    }
}

/// A fragment for each byte.
fn bytewise(payload: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = vec![part(TEXT, b"")];
    parts.extend(payload.iter().map(|byte| part(CONTINUATION, &[*byte])));
    parts.push(whole(CONTINUATION, b""));
    parts
}

#[tokio::test]
async fn texts_are_utf8() {
    let mut cases = vec![
        judged("6.1.1", vec![whole(TEXT, b"")], b""),
        judged("6.1.2", vec![part(TEXT, b""), part(CONTINUATION, b""), whole(CONTINUATION, b"")], b""),
        judged(
            "6.1.3",
            vec![part(TEXT, b""), part(CONTINUATION, b"middle"), whole(CONTINUATION, b"")],
            b"middle",
        ),
        judged("6.2.1", vec![whole(TEXT, GREETING)], GREETING),
        judged("6.2.2", vec![part(TEXT, &GREETING[..12]), whole(CONTINUATION, &GREETING[12..])], GREETING),
        judged("6.2.3", bytewise(GREETING), GREETING),
        judged("6.2.4", bytewise(KOSME), KOSME),
        judged("6.3.1", vec![whole(TEXT, SURROGATE)], SURROGATE),
        judged("6.3.2", bytewise(SURROGATE), SURROGATE),
    ];
    for (name, texts) in TEXTS {
        cases.extend(texts.iter().map(|text| judged(*name, vec![whole(TEXT, text)], text)));
    }
    // All prefixes of a text
    cases.extend((1..=KOSME.len()).map(|end| judged("6.6", vec![whole(TEXT, &KOSME[..end])], &KOSME[..end])));
    let lonely = |from: u8, to: u8| (from..to).flat_map(|byte| [byte, b' ']).collect::<Vec<_>>();
    let mut many = vec![(0x80..0xbf).collect()];
    many.extend(
        [(0xc0, 0xdf), (0xe0, 0xef), (0xf0, 0xf7), (0xf8, 0xfb), (0xfc, 0xfd)].map(|(a, b)| lonely(a, b)),
    );
    cases.extend(many.iter().map(|text| judged("6.12 and 6.13", vec![whole(TEXT, text)], text)));
    // What is no character is UTF-8 all the same
    for plane in 0..=0x10_u32 {
        for last in [0xfffe, 0xffff] {
            let scalar = char::from_u32(plane << 16 | last).unwrap().to_string();
            cases.push(judged("6.22", vec![whole(TEXT, scalar.as_bytes())], scalar.as_bytes()));
        }
    }
    hold(cases).await;
}

/// The close comes before the message is whole, and not before it is wrong.
#[tokio::test]
async fn a_text_that_is_not_utf8_is_closed_at_its_first_wrong_byte() {
    let begin = || vec![part(TEXT, KOSME), whole(PING, b"so far")];
    let right = Got::Pong(b"so far".to_vec());
    let frame = whole(TEXT, &[KOSME, ABOVE, b"edited"].concat());
    // Two bytes and a mask before it
    let wrong = 6 + KOSME.len() + 2;
    hold(vec![
        Case::closed("6.4.1", vec![part(CONTINUATION, ABOVE)], Vec::new(), INVALID)
            .after(begin(), right.clone()),
        Case::closed("6.4.2", vec![part(CONTINUATION, &ABOVE[..2])], Vec::new(), INVALID)
            .after(begin(), right),
        Case::closed("6.4.3 and 6.4.4", vec![frame[..wrong].to_vec()], Vec::new(), INVALID),
    ])
    .await;
}
