//! A line that is being typed.

/// The longest line, in letters.
const MAX: usize = 200;

/// What the line is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Purpose {
    Command,
    Search,
}

/// The line, and where in it the next letter goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    pub purpose: Purpose,
    letters: Vec<char>,
    at: usize,
}

impl Prompt {
    /// With a text to begin with, which goes on at its end.
    pub fn new(purpose: Purpose, text: &str) -> Prompt {
        let letters: Vec<char> = text.chars().take(MAX).collect();
        Prompt { purpose, at: letters.len(), letters }
    }

    pub fn text(&self) -> String {
        self.letters.iter().collect()
    }

    /// What is before the place of the next letter.
    pub fn before(&self) -> String {
        self.letters[..self.at].iter().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    pub fn put(&mut self, letter: char) {
        if self.letters.len() < MAX && !letter.is_control() {
            self.letters.insert(self.at, letter);
            self.at += 1;
        }
    }

    /// Takes the letter before away.
    pub fn erase(&mut self) {
        if self.at > 0 {
            self.at -= 1;
            self.letters.remove(self.at);
        }
    }

    /// Takes the letter behind away.
    pub fn delete(&mut self) {
        if self.at < self.letters.len() {
            self.letters.remove(self.at);
        }
    }

    /// Takes everything away.
    pub fn clear(&mut self) {
        (self.at, self.letters) = (0, Vec::new());
    }

    /// To the left and to the right, as far as there is something.
    pub fn go(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.letters.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_typed_and_mended_in_the_middle() {
        let mut prompt = Prompt::new(Purpose::Command, "go 13");
        prompt.erase();
        prompt.put('2');
        prompt.go(-2);
        prompt.put('4');
        assert_eq!((prompt.text().as_str(), prompt.before().as_str()), ("go 412", "go 4"));
        prompt.go(isize::MIN);
        prompt.erase();
        prompt.delete();
        assert_eq!(prompt.text(), "o 412");
        prompt.go(isize::MAX);
        prompt.delete();
        assert_eq!(prompt.before(), "o 412");
        prompt.clear();
        assert!(prompt.is_empty());
    }

    #[test]
    fn control_characters_and_endless_lines_are_not_taken() {
        let mut prompt = Prompt::new(Purpose::Search, "");
        prompt.put('\u{1b}');
        assert!(prompt.is_empty());
        (0..1_000).for_each(|_| prompt.put('a'));
        assert_eq!(prompt.text().len(), MAX);
    }
}
