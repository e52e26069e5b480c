//! A party of ten thousand: an upload costs there what it costs in one of ten, and everybody is told afterwards.

use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    gathering::{form, upload},
    pictures,
    poll::eventually,
    servers::fresh_redis,
    stage::{Somebody, Stage, stop},
};

const ATTENDEES: i64 = 10_000;
/// What one statement tells at most, and how many of them it takes.
const BATCHES: i64 = ATTENDEES / 1_000;

/// Notes each row that a transaction writes, and at the end of one that enters a media, how many rows it has read.
const WATCH: [&str; 6] = [
    "CREATE TABLE written (tx bigint, what text)",
    "CREATE TABLE looked (tx bigint, media uuid, rows bigint)",
    "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO written VALUES (txid_current(), TG_OP || ' ' || TG_TABLE_NAME);
         RETURN NULL;
     END $$",
    "CREATE FUNCTION sum_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO looked
         SELECT txid_current(), new.id, sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))
         FROM pg_stat_xact_user_tables;
         RETURN NULL;
     END $$",
    "DO $$ DECLARE name text; BEGIN
         FOR name IN SELECT relname FROM pg_stat_user_tables WHERE relname NOT IN ('written', 'looked') LOOP
             EXECUTE format('CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON %I
                 FOR EACH ROW EXECUTE FUNCTION note()', name);
         END LOOP;
     END $$",
    "CREATE CONSTRAINT TRIGGER sum_up AFTER INSERT ON media DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION sum_up()",
];

/// A party that goes on, with so many attendees, all of them with accounts; and one of them.
async fn party(stage: &Stage, attendees: i64) -> (Uuid, Somebody) {
    let (host, guest) = (stage.user().await, stage.user().await);
    let party = stage.party(&host, "LIVE", false).await;
    stage.place(party, &guest, "attendee", "in", "GOING").await;
    stage
        .execute(
            "WITH fans AS (
                 INSERT INTO people (id, is_guest, username, display_name)
                 SELECT gen_random_uuid(), false, 'fan_' || $2::bigint || '_' || n, 'Fan'
                 FROM generate_series(3, $2::bigint) n
                 RETURNING id
             )
             INSERT INTO attendances (party_id, person_id, role) SELECT $1, id, 'attendee' FROM fans",
            &[&party, &attendees],
        )
        .await;
    stage
        .execute(
            "INSERT INTO accounts (person_id, email, password_hash)
             SELECT id, username || '@example.com', '' FROM people
             ON CONFLICT DO NOTHING",
            &[],
        )
        .await;
    (party, guest)
}

async fn bring(pod: &TestApp, party: Uuid, by: &Somebody) -> Uuid {
    let made = upload(pod, Some(by), party, form(pictures::jpeg(64, 64), "a.jpg"), &[]).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body["data"]["media"]["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_upload_to_ten_thousand_touches_no_more_than_one_to_ten_and_all_are_told_afterwards() {
    let stage = Stage::new().await;
    let pod = stage.pod(&fresh_redis().await).await;
    let (small, ben) = party(&stage, 10).await;
    let (big, ann) = party(&stage, ATTENDEES).await;
    stage.execute("ANALYZE", &[]).await;
    for statement in WATCH {
        stage.execute(statement, &[]).await;
    }
    let among_ten = bring(&pod, small, &ben).await;
    let among_many = bring(&pod, big, &ann).await;

    let written = "SELECT count(*) FROM written WHERE tx = (SELECT tx FROM looked WHERE media = $1)";
    let (few, many) = (stage.number(written, among_ten).await, stage.number(written, among_many).await);
    assert!(few >= 4, "a row, its job, its event, the party's number: {few}");
    assert_eq!(many, few);
    let told_before = "SELECT count(*) FROM written WHERE what = 'INSERT notifications'
         AND tx = (SELECT tx FROM looked WHERE media = $1)";
    assert_eq!(stage.number(told_before, among_many).await, 0);
    // Also what its connection has read shortly before is in it
    let looked = "SELECT rows FROM looked WHERE media = $1";
    assert!(stage.number(looked, among_ten).await > 0);
    let rows = stage.number(looked, among_many).await;
    assert!(rows < ATTENDEES / 10, "{rows} rows");

    for (media, attendees) in [(among_ten, 10), (among_many, ATTENDEES)] {
        let told = "SELECT count(*) FROM notifications WHERE type = 'NEW_MEDIA' AND media_id = $1";
        let people = "SELECT count(DISTINCT n.person_id) FROM notifications n
             JOIN media m ON m.id = n.media_id
             JOIN attendances a ON a.party_id = m.party_id AND a.person_id = n.person_id
             WHERE m.id = $1 AND n.type = 'NEW_MEDIA' AND n.person_id <> m.uploader_id";
        let everybody = attendees - 1;
        eventually(DEADLINE * 3, "everybody is told", async || stage.number(told, media).await == everybody)
            .await;
        eventually(DEADLINE, "no job is left", async || stage.jobs().await == 0).await;
        assert_eq!(
            (stage.number(told, media).await, stage.number(people, media).await),
            (everybody, everybody)
        );
    }
    // By more than one transaction, none of which tells more than a batch
    let largest = "SELECT max(told) FROM (SELECT count(*) AS told FROM written
         WHERE what = 'INSERT notifications' AND $1::uuid IS NOT NULL GROUP BY tx) t";
    let runs =
        "SELECT count(DISTINCT tx) FROM written WHERE what = 'INSERT notifications' AND $1::uuid IS NOT NULL";
    assert_eq!(stage.number(largest, big).await, ATTENDEES / BATCHES);
    assert_eq!(stage.number(runs, big).await, BATCHES + 1);
    stop(pod).await;
}
