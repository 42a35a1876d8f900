//! Why somebody may do something, and what was done: the audit log.

use std::{fmt, str::FromStr};

use axum::{Json, extract::State};
use lockgate_model::{
    Channel, Target, TargetKind, Timestamp,
    audit::{AuditQuery, Link, Outcome},
    definition::Revision,
    id::{EnvironmentId, TargetName, UserId, WriterId},
};
use lockgate_runtime::{
    Apply, AuditFound, AuditHeads, AuditPage, Cell, Error, Matrix, MatrixPart, Runtime, SupportRight, WhatIf,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Changes, InTenant, Refusals};
use crate::{
    extract::{Asker, Body},
    page::{Listed, Paging},
    respond::Answer,
    shapes,
};

/// The newest entries that are told at once.
const NEWEST_MAX: u32 = 10_000;

/// Entries of the audit log, with the cursor of the next page.
#[derive(Serialize)]
pub(crate) struct Found {
    links: Vec<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Rights, with the cursor of the next page.
#[derive(Serialize)]
pub(crate) struct Rows {
    revision: Revision,
    cells: Vec<Cell>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// What the operator may look at; with the last page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    support: Vec<SupportRight>,
}

/// Writer and place in its chain.
struct InChain(WriterId, u64);

/// Time, writer and place.
struct InTime(Timestamp, InChain);

/// A user of a revision.
struct AtUser(Revision, UserId);

/// A place is not of the list that the cursor was made for.
struct NoPlace;

impl fmt::Display for InChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.1, self.0)
    }
}

impl FromStr for InChain {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (seq, writer) = text.split_once(' ').ok_or(NoPlace)?;
        Ok(Self(writer.parse().map_err(|_| NoPlace)?, seq.parse().map_err(|_| NoPlace)?))
    }
}

impl fmt::Display for InTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.0, self.1)
    }
}

impl FromStr for InTime {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (at, place) = text.split_once(' ').ok_or(NoPlace)?;
        Ok(Self(at.parse().map(Timestamp).map_err(|_| NoPlace)?, place.parse()?))
    }
}

impl fmt::Display for AtUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

impl FromStr for AtUser {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (revision, user) = text.split_once(' ').ok_or(NoPlace)?;
        Ok(Self(revision.parse().map(Revision).map_err(|_| NoPlace)?, user.parse().map_err(|_| NoPlace)?))
    }
}

/// Which part of the audit log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Links {
    /// The newest so many of all writers instead, in the order of their times; alone.
    #[param(minimum = 1, maximum = 10000)]
    newest: Option<u32>,
}

/// Which rights.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Rights {
    /// Of this user alone.
    #[param(value_type = Option<shapes::Id>, inline)]
    user: Option<UserId>,
    /// In this environment alone.
    #[param(value_type = Option<shapes::Id>, inline)]
    environment: Option<EnvironmentId>,
}

/// Which entries, and where to go on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Looked {
    /// From this time on, in microseconds since 1970-01-01T00:00:00Z.
    #[param(value_type = Option<i64>)]
    from: Option<Timestamp>,
    /// Before this time.
    #[param(value_type = Option<i64>)]
    to: Option<Timestamp>,
    /// Of this user, `operator`, or `-`.
    principal: Option<String>,
    /// With this code.
    event: Option<String>,
    /// About an object whose name holds this.
    object: Option<String>,
    /// `allowed`, `denied`, `done`, `failed` or `not-applied`.
    #[param(value_type = Option<shapes::Outcome>, inline)]
    outcome: Option<Outcome>,
    /// By this way in.
    #[param(value_type = Option<shapes::Channel>, inline)]
    channel: Option<Channel>,
}

/// What is exported, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Export {
    /// `jsonl`, `csv`, `syslog` or `otlp`: the client makes it.
    format: ExportFormat,
    /// Which entries; all where it is empty.
    #[serde(default)]
    #[schema(value_type = shapes::AuditQuery)]
    query: AuditQuery,
}

/// A form that entries are exported in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ExportFormat {
    Jsonl,
    Csv,
    Syslog,
    Otlp,
}

/// Whose access to what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// The user.
    #[schema(value_type = shapes::Id)]
    user: UserId,
    /// The environment.
    #[schema(value_type = shapes::Id)]
    environment: EnvironmentId,
    /// The target's kind; `integrations` unless given.
    #[serde(default)]
    #[schema(value_type = Option<shapes::TargetKind>)]
    kind: Option<TargetKind>,
    /// The target's name.
    #[schema(value_type = shapes::Id)]
    name: TargetName,
}

/// The audit log: links in the order of their chains.
///
/// Reading it is itself recorded.
#[utoipa::path(get, operation_id = "read_audit", path = "/admin/v1/tenants/{tenant}/audit", tag = "access", params(InTenant, Links, Paging),
    responses((status = 200, body = shapes::AuditPage), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn audit(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Listed(Links { newest }, part): Listed<Links>,
) -> Answer<Json<Found>> {
    if let Some(newest) = newest {
        if part.asked {
            return Err(Error::invalid("LG-QUERY", "send `newest` alone").into());
        }
        if !(1..=NEWEST_MAX).contains(&newest) {
            let text = format!("`newest` cannot be `{newest}`: it is a whole number from 1 to {NEWEST_MAX}");
            return Err(Error::invalid("LG-QUERY", text).into());
        }
        return Ok(Json(Found { links: runtime.newest_audit(&caller, newest).await?.links, next: None }));
    }
    let after = part.place::<InChain>()?.map(|InChain(writer, seq)| (writer, seq));
    let AuditPage { links, next } = runtime.audit(&caller, after, part.limit_u32()).await?;
    let next = next.map(|(writer, seq)| part.next(&InChain(writer, seq).to_string())).transpose()?;
    Ok(Json(Found { links, next }))
}

/// Entries that are looked for, newest first.
///
/// A page may be empty and have a next one: each goes past a bounded number of entries. Looking is itself recorded.
#[utoipa::path(get, operation_id = "find_audit", path = "/admin/v1/tenants/{tenant}/audit/find", tag = "access",
    params(InTenant, Looked, Paging), responses((status = 200, body = shapes::AuditFound), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn find(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Listed(looked, part): Listed<Looked>,
) -> Answer<Json<Found>> {
    let before = part.place::<InTime>()?.map(|InTime(at, InChain(writer, seq))| (at, writer, seq));
    let query = AuditQuery {
        from: looked.from,
        to: looked.to,
        principal: looked.principal,
        event: looked.event,
        object: looked.object,
        outcome: looked.outcome,
        channel: looked.channel,
    };
    let AuditFound { links, next } = runtime.find_audit(&caller, query, before, part.limit_u32()).await?;
    let next = next.map(|(at, writer, seq)| part.next(&InTime(at, InChain(writer, seq)).to_string())).transpose()?;
    Ok(Json(Found { links, next }))
}

/// Begins an export: records it, and answers with the heads as they are then. The entries are read by the other two
/// routes.
#[utoipa::path(post, operation_id = "export_audit", path = "/admin/v1/tenants/{tenant}/audit/export", tag = "access",
    params(InTenant), request_body = Export, responses((status = 200, body = shapes::AuditHeads), Refusals, Changes))]
pub(crate) async fn export(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(export): Body<Export>,
) -> Answer<Json<AuditHeads>> {
    let format = match export.format {
        ExportFormat::Jsonl => "jsonl",
        ExportFormat::Csv => "csv",
        ExportFormat::Syslog => "syslog",
        ExportFormat::Otlp => "otlp",
    };
    Ok(Json(runtime.export_audit(&caller, format, &export.query).await?))
}

/// Where the chains of the audit log were signed to end, and the public key that tells true signatures.
///
/// Ask for them before the log: then all that they speak of is in it. Reading them is itself recorded.
#[utoipa::path(get, operation_id = "read_audit_heads", path = "/admin/v1/tenants/{tenant}/audit/heads", tag = "access",
    params(InTenant), responses((status = 200, body = shapes::AuditHeads), Refusals))]
pub(crate) async fn heads(State(runtime): State<Runtime>, Asker(caller): Asker) -> Answer<Json<AuditHeads>> {
    Ok(Json(runtime.audit_heads(&caller).await?))
}

/// Who may do what where: the rights of all users, in pages of whole users, each with the path that gives it.
///
/// What has no cell is a no. `limit` counts users. All pages are of one revision of the tenant: a cursor of an older one
/// is answered with 409.
#[utoipa::path(get, operation_id = "read_matrix", path = "/admin/v1/tenants/{tenant}/access/matrix", tag = "access",
    params(InTenant, Rights, Paging), responses((status = 200, body = shapes::Matrix), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read."),
    (status = 409, body = shapes::Refusal, description = "The tenant was changed since the first page.")))]
pub(crate) async fn matrix(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Listed(Rights { user, environment }, part): Listed<Rights>,
) -> Answer<Json<Rows>> {
    let (revision, after) = part.place::<AtUser>()?.map(|AtUser(revision, user)| (revision, user)).unzip();
    let Matrix { revision, mut cells, mut next, mut support } =
        runtime.matrix(&caller, MatrixPart { user, environment, after }, revision).await?;
    // Cells of a user stand together.
    let firsts = cells.iter().enumerate().filter(|(at, cell)| {
        at.checked_sub(1).and_then(|before| cells.get(before)).is_none_or(|before| before.user != cell.user)
    });
    if let Some(beyond) = firsts.map(|(at, _)| at).nth(part.limit) {
        cells.truncate(beyond);
        next = cells.last().map(|cell| cell.user.clone());
        // It comes with the last page.
        support.clear();
    }
    let next = next.map(|user| part.next(&AtUser(revision, user).to_string())).transpose()?;
    Ok(Json(Rows { revision, cells, next, support }))
}

/// Who would gain and who would lose what by a batch of definitions; nothing is changed.
///
/// It asks the rights that the change itself does, and refuses what it would.
#[utoipa::path(post, operation_id = "what_if", path = "/admin/v1/tenants/{tenant}/access/what-if", tag = "access", params(InTenant),
    request_body = shapes::Batch, responses((status = 200, body = shapes::WhatIf), Refusals, Changes))]
pub(crate) async fn what_if(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(batch): Body<Apply>,
) -> Answer<Json<WhatIf>> {
    Ok(Json(runtime.what_if(&caller, batch).await?))
}

/// Why a user may execute something, or which link is missing and what would close it.
#[utoipa::path(post, operation_id = "explain_access", path = "/admin/v1/tenants/{tenant}/access/why", tag = "access", params(InTenant),
    request_body = Question, responses((status = 200, body = shapes::Explanation), Refusals, Changes))]
pub(crate) async fn why(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(question): Body<Question>,
) -> Answer<Json<impl Serialize>> {
    let target = Target {
        environment: question.environment,
        kind: question.kind.unwrap_or(TargetKind::Integrations),
        name: question.name,
    };
    Ok(Json(runtime.why(&caller, &question.user, &target).await?))
}
