-- ingest_health tells of suspended tables, rollups that are not refreshed, backlog and size of requests
ALTER TABLE "ingest_health" ADD COLUMN "state" SYMBOL;
ALTER TABLE "ingest_health" ADD COLUMN "reason" VARCHAR;
ALTER TABLE "ingest_health" ADD COLUMN "lag_txns" LONG;
ALTER TABLE "ingest_health" ADD COLUMN "pending_rows" LONG;
ALTER TABLE "ingest_health" ADD COLUMN "requests" LONG;
ALTER TABLE "ingest_health" ADD COLUMN "request_bytes" LONG;
