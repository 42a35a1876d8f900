//! Why somebody may do something, and what was done: the audit log.

use axum::{Json, extract::State};
use lockgate_model::{
    Channel, Target, TargetKind, Timestamp,
    audit::{AuditQuery, Outcome},
    definition::Revision,
    id::{EnvironmentId, TargetName, UserId, WriterId},
};
use lockgate_runtime::{Apply, AuditFound, AuditHeads, AuditPage, Error, Matrix, MatrixPart, Runtime, WhatIf};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Changes, InTenant, Refusals};
use crate::{
    extract::{Asked, Asker, Body},
    respond::Answer,
    shapes,
};

/// Which part of the audit log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Links {
    /// After an entry of this writer; together with `after`.
    #[param(value_type = Option<String>)]
    writer: Option<WriterId>,
    /// After this place in the writer's chain.
    after: Option<u64>,
    /// At most so many; 1000 unless given.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
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
    #[param(value_type = Option<String>)]
    user: Option<UserId>,
    /// In this environment alone.
    #[param(value_type = Option<String>)]
    environment: Option<EnvironmentId>,
    /// Of the users behind this one.
    #[param(value_type = Option<String>)]
    after: Option<UserId>,
    /// Of this revision of the tenant; 409 if it is not the newest.
    revision: Option<u64>,
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
    #[param(value_type = Option<String>)]
    outcome: Option<Outcome>,
    /// By this way in.
    #[param(value_type = Option<String>)]
    channel: Option<Channel>,
    /// `next` of the page before: its time,
    #[param(value_type = Option<i64>)]
    before_at: Option<Timestamp>,
    /// its writer,
    #[param(value_type = Option<String>)]
    before_writer: Option<WriterId>,
    /// and its place; the three together.
    before_seq: Option<u64>,
    /// At most so many; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
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
    #[schema(value_type = String)]
    user: UserId,
    /// The environment.
    #[schema(value_type = String)]
    environment: EnvironmentId,
    /// The target's kind; `integrations` unless given.
    #[serde(default)]
    #[schema(value_type = Option<shapes::TargetKind>)]
    kind: Option<TargetKind>,
    /// The target's name.
    #[schema(value_type = String)]
    name: TargetName,
}

/// The audit log: links in the order of their chains.
///
/// Reading it is itself recorded.
#[utoipa::path(get, operation_id = "read_audit", path = "/admin/v1/tenants/{tenant}/audit", tag = "access", params(InTenant, Links),
    responses((status = 200, body = shapes::AuditPage), Refusals,
    (status = 400, body = shapes::ErrorBody, description = "The query cannot be read.")))]
pub(crate) async fn audit(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Asked(part): Asked<Links>,
) -> Answer<Json<AuditPage>> {
    let alone = part.writer.is_none() && part.after.is_none() && part.limit.is_none();
    match part.newest {
        Some(newest) if alone => return Ok(Json(runtime.newest_audit(&caller, newest).await?)),
        Some(_) => return Err(Error::invalid("LG-QUERY", "send `newest` alone").into()),
        None => {}
    }
    let after = match (part.writer, part.after) {
        (Some(writer), Some(seq)) => Some((writer, seq)),
        (None, None) => None,
        _ => return Err(Error::invalid("LG-QUERY", "send `writer` and `after` together, or neither").into()),
    };
    Ok(Json(runtime.audit(&caller, after, part.limit.unwrap_or_default()).await?))
}

/// Entries that are looked for, newest first.
///
/// A page may be empty and have a next one: each goes past a bounded number of entries. Looking is itself recorded.
#[utoipa::path(get, operation_id = "find_audit", path = "/admin/v1/tenants/{tenant}/audit/find", tag = "access",
    params(InTenant, Looked), responses((status = 200, body = shapes::AuditFound), Refusals,
    (status = 400, body = shapes::ErrorBody, description = "The query cannot be read.")))]
pub(crate) async fn find(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Asked(looked): Asked<Looked>,
) -> Answer<Json<AuditFound>> {
    let before = match (looked.before_at, looked.before_writer, looked.before_seq) {
        (Some(at), Some(writer), Some(seq)) => Some((at, writer, seq)),
        (None, None, None) => None,
        _ => {
            let message = "send `before_at`, `before_writer` and `before_seq` together, or none of them";
            return Err(Error::invalid("LG-QUERY", message).into());
        }
    };
    let query = AuditQuery {
        from: looked.from,
        to: looked.to,
        principal: looked.principal,
        event: looked.event,
        object: looked.object,
        outcome: looked.outcome,
        channel: looked.channel,
    };
    Ok(Json(runtime.find_audit(&caller, query, before, looked.limit.unwrap_or_default()).await?))
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
/// What has no cell is a no. Go on with `after` the user that `next` names, and with the `revision` of the first
/// page, so that all pages are of one.
#[utoipa::path(get, operation_id = "read_matrix", path = "/admin/v1/tenants/{tenant}/access/matrix", tag = "access",
    params(InTenant, Rights), responses((status = 200, body = shapes::Matrix), Refusals,
    (status = 400, body = shapes::ErrorBody, description = "The query cannot be read."),
    (status = 409, body = shapes::ErrorBody, description = "The tenant was changed since the first page.")))]
pub(crate) async fn matrix(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Asked(rights): Asked<Rights>,
) -> Answer<Json<Matrix>> {
    let Rights { user, environment, after, revision } = rights;
    let part = MatrixPart { user, environment, after };
    Ok(Json(runtime.matrix(&caller, part, revision.map(Revision)).await?))
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
