//! A text as a QR code, to be shown or printed.

use std::fmt::Write as _;

use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
use qrcode::{Color, QrCode};

/// Light modules around the code, without which readers do not find it.
const QUIET: usize = 4;
/// Pixels of a module's side: sharp on paper as wide as a hand.
const PIXELS: usize = 12;

/// A square of dark and light modules.
#[derive(Clone, Debug)]
pub struct Qr {
    side: usize,
    /// Row by row.
    is_dark: Vec<bool>,
}

impl Qr {
    /// The code of a text. `None`: it is too long for one.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::new(text).ok()?;
        let is_dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Some(Self { side: code.width(), is_dark })
    }

    /// As a drawing, black on white.
    pub fn svg(&self) -> String {
        let (side, pixels) = (self.whole(), self.whole() * PIXELS);
        let mut dark = String::new();
        for (y, row) in self.is_dark.chunks(self.side).enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, is_dark)| **is_dark) {
                // A String takes all that is written
                _ = write!(dark, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{pixels}\" height=\"{pixels}\" \
             viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{dark}\"/></svg>"
        )
    }

    /// As a picture, black on white. `None`: it could not be written.
    pub fn png(&self) -> Option<Vec<u8>> {
        let side = self.whole() * PIXELS;
        let gray = |at: usize| if self.is_dark_at(at % side / PIXELS, at / side / PIXELS) { 0 } else { 255 };
        let pixels: Vec<u8> = (0..side * side).map(gray).collect();
        let (mut png, side) = (Vec::new(), u32::try_from(side).ok()?);
        PngEncoder::new(&mut png).write_image(&pixels, side, side, ExtendedColorType::L8).ok()?;
        Some(png)
    }

    /// Modules of a side, those around it too.
    fn whole(&self) -> usize {
        self.side + 2 * QUIET
    }

    fn is_dark_at(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < self.side);
        let at = inside(x).zip(inside(y)).map(|(x, y)| y * self.side + x);
        at.and_then(|at| self.is_dark.get(at)).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://party.example/j#ABCD2345";

    #[test]
    fn both_show_the_modules_of_the_code_and_light_around_it() {
        let (qr, code) = (Qr::of(LINK).unwrap(), QrCode::new(LINK).unwrap());
        let (svg, side) = (qr.svg(), code.width());
        let picture = image::load_from_memory(&qr.png().unwrap()).unwrap().to_luma8();
        let whole = side + 2 * QUIET;
        assert_eq!(picture.dimensions(), (u32::try_from(whole * PIXELS).unwrap(), picture.width()));
        let mut dark = 0;
        for y in 0..whole {
            for x in 0..whole {
                let is_inside = [x, y].iter().all(|at| (QUIET..QUIET + side).contains(at));
                let is_dark = is_inside && code[(x - QUIET, y - QUIET)] == Color::Dark;
                dark += usize::from(is_dark);
                let middle = |at: usize| u32::try_from(at * PIXELS + PIXELS / 2).unwrap();
                assert_eq!(
                    picture.get_pixel(middle(x), middle(y)).0,
                    [if is_dark { 0 } else { 255 }],
                    "{x} {y}"
                );
                assert_eq!(svg.contains(&format!("M{x} {y}h1v1h-1z")), is_dark, "{x} {y}");
            }
        }
        assert_eq!(svg.matches("h1v1h-1z").count(), dark);
    }

    #[test]
    fn what_no_code_can_hold_is_none() {
        assert!(Qr::of(&"x".repeat(10_000)).is_none());
    }
}
