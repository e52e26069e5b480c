//! Where else users are to be found.

use uuid::Uuid;

use super::{Connection, DatabaseError};
use crate::domain::social_link::{Platform, SocialLink};

/// The links of a user, in the order of the platforms.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn of(connection: &mut Connection, person: Uuid) -> Result<Vec<SocialLink>, DatabaseError> {
    const OF: &str = include_str!("queries/social_links/of.sql");
    let rows = connection.query(OF, &[&person]).await?;
    // A platform of a newer binary is left out
    let links = rows.iter().filter_map(|row| {
        Some(SocialLink { platform: Platform::named(row.get("platform"))?, url: row.get("url") })
    });
    let mut links: Vec<_> = links.collect();
    links.sort_by_key(|link| link.platform);
    Ok(links)
}

/// Replaces the links of a user, whose row has to be locked: see [`super::users::lock`].
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn replace(
    connection: &mut Connection,
    person: Uuid,
    links: &[SocialLink],
) -> Result<(), DatabaseError> {
    const DELETE: &str = include_str!("queries/social_links/delete.sql");
    const INSERT: &str = include_str!("queries/social_links/insert.sql");
    connection.execute(DELETE, &[&person]).await?;
    let (platforms, urls): (Vec<_>, Vec<_>) =
        links.iter().map(|link| (link.platform.name(), link.url.as_str())).unzip();
    connection.execute(INSERT, &[&person, &platforms, &urls]).await.map(drop)
}
