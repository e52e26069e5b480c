//! What whoever started the service is shown of the demo party.

use std::path::PathBuf;

use qrcode::{QrCode, render::unicode::Dense1x2};
use uuid::Uuid;

/// The demo party, for the eyes of its host: it holds the access code.
#[derive(Clone, Debug)]
pub struct Card {
    /// Where the service is.
    pub url: String,
    /// Which party it is.
    pub party: Uuid,
    /// What guests join it by.
    pub code: String,
    /// The same as a link.
    pub link: String,
    /// Who gives it.
    pub host: String,
    /// Where their login is.
    pub login: PathBuf,
}

/// Black on white, by numbers that no theme of a terminal changes: a QR code in other colours is not read everywhere.
const PAPER: &str = "\x1b[38;5;16;48;5;231m";
const PLAIN: &str = "\x1b[0m";
/// Before every line.
const MARGIN: &str = "    ";

impl Card {
    /// The card as lines of text. Where the reader's end does not understand colours, light letters on a dark ground are
    /// assumed.
    pub fn draw(&self, coloured: bool) -> String {
        let Self { url, party, code, link, host, login } = self;
        let login = login.display();
        let rows = [
            ("Demo party", party.to_string()),
            ("Join code", code.clone()),
            ("Join link", link.clone()),
            ("Host", format!("{host}, password in {login}")),
            ("Service", format!("{url}/api/v1, alive at {url}/health")),
        ];
        let rows = rows.iter().map(|(name, value)| format!("{MARGIN}{name:<12}{value}\n"));
        let code = qr(link, coloured).unwrap_or_default();
        let next = "README.md walks on from here. ^C stops it; the party is found again at the next start.";
        format!("\n{}\n{code}\n{MARGIN}{next}\n\n", rows.collect::<String>())
    }
}

/// The text as a QR code of half blocks. `None`: it is too long for one.
fn qr(text: &str, coloured: bool) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let (dark, light) = match coloured {
        true => (Dense1x2::Dark, Dense1x2::Light),
        false => (Dense1x2::Light, Dense1x2::Dark),
    };
    let (before, after) = if coloured { (PAPER, PLAIN) } else { ("", "") };
    let drawn = code.render::<Dense1x2>().dark_color(dark).light_color(light).build();
    Some(drawn.lines().map(|line| format!("{MARGIN}{before}{line}{after}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Card {
        Card {
            url: "http://localhost:3000".to_owned(),
            party: Uuid::nil(),
            code: "ABCD2345".to_owned(),
            link: "http://localhost:3000/j#ABCD2345".to_owned(),
            host: "demo@party.example".to_owned(),
            login: PathBuf::from("./.party-gallery/demo.env"),
        }
    }

    #[test]
    fn a_card_shows_all_that_a_guest_needs() {
        let drawn = card().draw(false);
        for shown in ["ABCD2345\n", "http://localhost:3000/j#ABCD2345\n", "demo.env", "health"] {
            assert!(drawn.contains(shown), "{shown} is not in: {drawn}");
        }
        assert!(!drawn.contains('\x1b'), "no escapes where nobody obeys them");
        assert!(drawn.lines().all(|line| line.chars().count() <= 100), "{drawn}");
    }

    #[test]
    fn the_code_on_a_card_is_the_links_with_a_quiet_zone_around_it() {
        let modules = QrCode::new(card().link).unwrap();
        let rows = |drawn: String| -> Vec<Vec<bool>> {
            let blocks = drawn.lines().filter(|line| line.contains(['█', '▀', '▄']) || line.contains(PAPER));
            let rows = blocks.flat_map(|line| {
                let bare = line.trim_start_matches(MARGIN).replace(PAPER, "").replace(PLAIN, "");
                let halves =
                    |filled: [char; 2]| bare.chars().map(|c| filled.contains(&c)).collect::<Vec<_>>();
                [halves(['█', '▀']), halves(['█', '▄'])]
            });
            rows.collect()
        };
        // The quiet zone has four modules
        let width = modules.width();
        let is_dark = |x: usize, y: usize| {
            let inside = (4..width + 4).contains(&x) && (4..width + 4).contains(&y);
            inside && modules[(x - 4, y - 4)] == qrcode::Color::Dark
        };
        for (coloured, filled_is_dark) in [(true, true), (false, false)] {
            let rows = rows(card().draw(coloured));
            assert!(rows.len() >= width + 8, "{} rows", rows.len());
            for (y, row) in rows.iter().enumerate().take(width + 8) {
                assert_eq!(row.len(), width + 8);
                for (x, filled) in row.iter().enumerate() {
                    assert_eq!(*filled == filled_is_dark, is_dark(x, y), "{x} {y} {coloured}");
                }
            }
        }
    }
}
