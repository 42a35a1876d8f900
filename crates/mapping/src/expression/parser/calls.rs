//! Calls, partial application, functions and their signatures.

use lockgate_model::diagnostic::Span;

use super::{Parsed, Parser, tallest, token_text};
use crate::expression::{
    Problem,
    ast::{Kind, Node},
    lexer::{Lexeme, Token},
    problem, signature,
};

impl Parser<'_> {
    pub(super) fn call(&mut self, procedure: Box<Node>, token: &Lexeme) -> Parsed {
        let start = procedure.span.start as usize;
        let mut arguments = Vec::new();
        let mut partial = false;
        while !self.at(")") || !arguments.is_empty() {
            if self.at("?") {
                partial = true;
                let place = self.take(true)?;
                arguments.push(*self.node(Kind::Placeholder, &place, place.span.start as usize, &[])?);
            } else {
                arguments.push(*self.expression(0)?);
            }
            if !self.at(",") {
                break;
            }
            self.take(true)?;
        }
        self.expect(")", false)?;
        if matches!(&procedure.kind, Kind::Name(name) if name == "function" || name == "λ") {
            return self.lambda(arguments, token, start);
        }
        let height = tallest(&arguments).max(procedure.height + 1);
        let kind = if partial { Kind::Partial(procedure, arguments) } else { Kind::Call(procedure, arguments) };
        self.node_of(kind, token, start, height)
    }

    fn lambda(&mut self, arguments: Vec<Node>, token: &Lexeme, start: usize) -> Parsed {
        let mut params = Vec::new();
        for (i, argument) in arguments.into_iter().enumerate() {
            match argument.kind {
                Kind::Variable(name) => params.push(name),
                _ => {
                    let message = format!("parameter {} of a function must be a variable", i + 1);
                    return Err(problem("S0208", argument.span, message)
                        .help("variables start with `$`")
                        .token(token_text(&argument)));
                }
            }
        }
        let signature = if self.at("<") { Some(self.signature()?) } else { None };
        self.expect("{", true)?;
        let body = self.expression(0)?;
        self.expect("}", false)?;
        let height = body.height + 1;
        self.node_of(Kind::Lambda(params, signature, body), token, start, height)
    }

    fn signature(&mut self) -> Result<signature::Signature, Problem> {
        let from = self.next.span.start as usize;
        let mut text = String::from("<");
        let mut depth = 1;
        while depth > 0 && !self.at("{") && self.next.token != Token::End {
            self.take(false)?;
            match self.next.token {
                Token::Operator(">") => depth -= 1,
                Token::Operator("<") => depth += 1,
                _ => {}
            }
            if self.next.token != Token::End {
                text.push_str(&self.next_text());
            }
        }
        self.expect(">", true)?;
        signature::parse(&text).map_err(|malformed| {
            let message = match malformed.code {
                "S0401" => "only functions and arrays take a type parameter in a signature",
                _ => "a choice of types in a signature cannot hold a type with parameters",
            };
            problem(malformed.code, Span::new(from, from + malformed.offset + 1), message)
        })
    }
}
