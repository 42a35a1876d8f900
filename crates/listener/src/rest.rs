//! `POST /{tenant}/{environment}/{name}`: a JSON body in, the output of a run out.
//!
//! The order of answers is a promise: 401; 404; 403; 409; only then what is wrong with the request
//! itself (415, 400, 413, 408), and then what the run gives. The body is not read before access has
//! said yes.

use std::sync::OnceLock;

use http::{Method, Request, header};
use lockgate_model::{
    Channel, TargetKind,
    id::{EnvironmentId, TargetName, TenantId},
};
use lockgate_runtime::{Ask, Caller, Error, Finished};

use crate::{
    Front, Peer, Reply, RequestBody,
    body::{Intake, Refusal, idempotency_key},
    front::source,
    log::Line,
    respond::{self, Failed},
    route::Target,
    watched,
};

/// The methods of a target's address.
const ALLOW: &str = "POST";

impl<A> Front<A> {
    pub(crate) async fn to_target(&self, request: Request<RequestBody>, target: &Target<'_>, line: &mut Line) -> Reply {
        let mut authorization = request.headers().get_all(header::AUTHORIZATION).iter();
        let credential = match (authorization.next(), authorization.next()) {
            (Some(one), None) => one.to_str().ok(),
            // Of two credentials nobody could say which one was meant.
            _ => None,
        };
        let peer = request.extensions().get::<Peer>();
        let certificate = peer.and_then(|peer| peer.certificate.as_deref()).filter(|_| says_nothing(&request));
        let source = source(&request);
        let asked = self.runtime.authenticate_peer(&target.tenant, credential, certificate, &source);
        let caller = match asked.await {
            Ok(caller) => caller,
            Err(error) => return respond::error(&error),
        };
        line.tenant = Some(caller.tenant().clone()).filter(|t: &TenantId| t.as_str() == target.tenant);
        if request.method() != Method::POST {
            return self.other_method(&caller, target);
        }
        self.post(&caller, request, target, line).await
    }

    async fn post(
        &self,
        caller: &Caller,
        request: Request<RequestBody>,
        target: &Target<'_>,
        line: &mut Line,
    ) -> Reply {
        let (head, body) = request.into_parts();
        let key = idempotency_key(&head.headers);
        let ask = Ask {
            idempotency_key: key.clone().unwrap_or_default(),
            trace: watched::trace(&head.headers),
            ..Ask::new(&*target.environment, &*target.name, Channel::Rest)
        };
        let refused = OnceLock::new();
        let (intake, limits) = (self.intake.clone(), self.runtime.limits(caller, &target.environment));
        let input = async {
            let read = async {
                key?;
                intake.document(&head.headers, body, &limits).await
            };
            read.await.map_err(|refusal: Refusal| {
                let error = respond::refusal_error(&refusal);
                let _ = refused.set(refusal);
                error
            })
        };
        match self.runtime.execute(caller, ask, input).await {
            Ok(finished) => {
                line.run = Some(finished.run);
                finished_reply(&self.intake, finished).await
            }
            // The refusal knows more than the error it was told as; unless something else came in
            // between, such as an audit log that cannot be written.
            Err(error) => match refused.get() {
                Some(refusal) if respond::refusal_error(refusal) == error => respond::refusal(refusal),
                _ => respond::error(&error),
            },
        }
    }

    /// 405, but 404 where POST would be answered so.
    fn other_method(&self, caller: &Caller, target: &Target<'_>) -> Reply {
        let hidden = || respond::error(&Error::not_found("such object"));
        let (Ok(environment), Ok(name)) = (EnvironmentId::parse(&target.environment), TargetName::parse(&target.name))
        else {
            return hidden();
        };
        let target = lockgate_model::Target { environment, kind: TargetKind::Integrations, name };
        match self.runtime.hides(caller, target) {
            Ok(true) => hidden(),
            Ok(false) => respond::method_not_allowed(ALLOW),
            Err(error) => respond::error(&error),
        }
    }
}

/// A header that cannot be read, or two of them, are not taken for none.
fn says_nothing(request: &Request<RequestBody>) -> bool {
    !request.headers().contains_key(header::AUTHORIZATION)
}

async fn finished_reply(intake: &Intake, finished: Finished) -> Reply {
    let run = finished.run;
    let reply = match finished.result {
        Ok(output) => {
            let printed = match output.is_undefined() {
                true => Ok(Ok(None)),
                false => intake.print(output, finished.limits.reply_bytes_max).await.map(|printed| printed.map(Some)),
            };
            match printed {
                Ok(printed) => respond::output(printed),
                Err(refusal) => respond::refusal(&refusal),
            }
        }
        Err(failure) => respond::failed(&Failed {
            status: failure.error.status,
            code: &failure.error.code,
            task: &failure.error.task,
            message: &failure.message,
            document: failure.document.as_ref(),
        }),
    };
    respond::with_run(reply, run)
}
