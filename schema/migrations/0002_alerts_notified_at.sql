-- alerts got the time at which the first message came
ALTER TABLE "alerts" ADD COLUMN "notified_at" TIMESTAMP;
