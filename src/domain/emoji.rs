//! Emojis that one can react with: one of them, in one spelling.

use std::{iter::Peekable, str::Chars};

use unicode_properties::{EmojiStatus, UnicodeEmoji as _};

use super::fields::Wrong;

/// The longest that is recommended for interchange, two people who kiss, each with a skin tone, has so many bytes.
const LONGEST: usize = 35;

const JOINER: char = '\u{200D}';
/// Asks for the picture where a text may be meant.
const PICTURE: char = '\u{FE0F}';
const KEYCAP: char = '\u{20E3}';
/// Goes on with letters that nobody sees, which say whose flag it is.
const BLACK_FLAG: char = '\u{1F3F4}';
const END_OF_TAGS: char = '\u{E007F}';

/// One emoji, fully qualified: with or without the marks that typing leaves out, it is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emoji(String);

impl Emoji {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// It is none, more than one, or too long.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        const NONE: Wrong = Wrong::new("INVALID_EMOJI", "must be one emoji");
        if text.len() > LONGEST {
            return Err(NONE);
        }
        let emoji = keycap(text).or_else(|| flag(text)).or_else(|| sequence(text)).ok_or(NONE)?;
        if emoji.len() > LONGEST { Err(NONE) } else { Ok(Self(emoji)) }
    }

    /// The emoji.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A digit or sign on a key.
fn keycap(text: &str) -> Option<String> {
    let sign = text.chars().next().filter(|c| c.is_ascii_digit() || matches!(c, '#' | '*'))?;
    let rest = text.get(1..)?;
    let is_keycap = rest.strip_prefix(PICTURE).unwrap_or(rest).chars().eq([KEYCAP]);
    is_keycap.then(|| [sign, PICTURE, KEYCAP].iter().collect())
}

/// A country's two letters.
fn flag(text: &str) -> Option<String> {
    let is_flag = text.chars().count() == 2 && text.chars().all(is_regional);
    is_flag.then(|| text.to_owned())
}

fn is_regional(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

/// Pictures that are joined to one.
fn sequence(text: &str) -> Option<String> {
    let (mut rest, mut emoji) = (text.chars().peekable(), String::new());
    picture(&mut rest, &mut emoji)?;
    while rest.next_if_eq(&JOINER).is_some() {
        emoji.push(JOINER);
        picture(&mut rest, &mut emoji)?;
    }
    rest.next().is_none().then_some(emoji)
}

/// A picture, in its skin tone.
fn picture(rest: &mut Peekable<Chars<'_>>, emoji: &mut String) -> Option<()> {
    let c = rest.next()?;
    let status = c.emoji_status();
    let takes_tone =
        matches!(status, EmojiStatus::EmojiModifierBase | EmojiStatus::EmojiPresentationAndModifierBase);
    let may_be_text = matches!(status, EmojiStatus::EmojiModifierBase | EmojiStatus::EmojiOther);
    let is_picture = match status {
        EmojiStatus::EmojiPresentation => true,
        // Hair
        EmojiStatus::EmojiPresentationAndEmojiComponent => !is_regional(c),
        _ => takes_tone || may_be_text,
    };
    if !is_picture {
        return None;
    }
    emoji.push(c);
    rest.next_if_eq(&PICTURE);
    if let Some(tone) = rest.next_if(|c| takes_tone && matches!(c, '\u{1F3FB}'..='\u{1F3FF}')) {
        emoji.push(tone);
    } else if may_be_text {
        emoji.push(PICTURE);
    }
    if c == BLACK_FLAG && rest.peek().is_some_and(|c| is_tag(*c)) {
        while let Some(tag) = rest.next_if(|c| is_tag(*c)) {
            emoji.push(tag);
        }
        emoji.push(rest.next_if_eq(&END_OF_TAGS)?);
    }
    Some(())
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007E}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_emoji_in_one_spelling() {
        let england = "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}";
        let kiss = "👩\u{1F3FB}\u{200D}\u{2764}\u{FE0F}\u{200D}💋\u{200D}👨\u{1F3FF}";
        for (text, emoji) in [
            ("🎉", Some("🎉")),
            ("🎉\u{FE0F}", Some("🎉")),
            ("👍\u{1F3FD}", Some("👍\u{1F3FD}")),
            ("\u{2764}", Some("\u{2764}\u{FE0F}")),
            ("\u{2764}\u{FE0F}", Some("\u{2764}\u{FE0F}")),
            ("\u{261D}\u{1F3FD}", Some("\u{261D}\u{1F3FD}")),
            ("👩\u{200D}\u{2695}", Some("👩\u{200D}\u{2695}\u{FE0F}")),
            ("👩\u{200D}🦰", Some("👩\u{200D}🦰")),
            ("👨\u{200D}👩\u{200D}👧\u{200D}👦", Some("👨\u{200D}👩\u{200D}👧\u{200D}👦")),
            ("\u{1F3F3}\u{FE0F}\u{200D}🌈", Some("\u{1F3F3}\u{FE0F}\u{200D}🌈")),
            ("🇩🇪", Some("🇩🇪")),
            ("1\u{20E3}", Some("1\u{FE0F}\u{20E3}")),
            ("#\u{FE0F}\u{20E3}", Some("#\u{FE0F}\u{20E3}")),
            (england, Some(england)),
            (kiss, Some(kiss)),
            ("", None),
            ("a", None),
            ("1", None),
            ("🎉🎉", None),
            ("🎉 ", None),
            ("🎉a", None),
            ("🎉\u{1F3FD}", None),
            ("\u{1F3FD}", None),
            ("🇩", None),
            ("🇩🇪🇫🇷", None),
            ("\u{200D}", None),
            ("👩\u{200D}", None),
            ("\u{FE0F}", None),
            ("\u{FFFD}", None),
            ("\u{1F3F4}\u{E0067}", None),
            ("12\u{20E3}", None),
            (":tada:", None),
        ] {
            assert_eq!(Emoji::read(text).ok().as_ref().map(Emoji::as_str), emoji, "{text:?}");
        }
        assert!(Emoji::read(&["👩"; 6].join("\u{200D}")).is_err(), "too long");
    }

    proptest! {
        #[test]
        fn what_was_read_is_read_the_same(text in "[👩❤🎉☝#1🏽\u{200D}\u{FE0F}\u{20E3}🇩🏴\u{E0067}\u{E007F}]{0,8}") {
            if let Ok(emoji) = Emoji::read(&text) {
                prop_assert_eq!(Emoji::read(emoji.as_str()), Ok(emoji));
            }
        }

        #[test]
        fn no_text_can_panic(text in "\\PC{0,12}") {
            _ = Emoji::read(&text);
        }
    }
}
