// Whether this machine can run a QuestDB, by the same probes that `start` uses.
import type { Config } from "../config/schema.ts";
import { cachedJar, cacheFolder } from "../questdb/jar_cache.ts";
import type { Env } from "../questdb/run_command.ts";
import { installAdvice, probeDocker, probeJava, probeMaven, type Tool } from "../questdb/toolchain.ts";
import { type Check, failure, ok } from "./check.ts";

/** Docker, or Java with a jar (from the cache or through Maven). Nothing is needed when questdb.url is set. */
export function runtimeCheck(questdb: Config["questdb"], env: Env): Check {
  return {
    name: "docker or java",
    async run(signal) {
      if (questdb.url !== undefined) return ok("not needed: questdb.url names a QuestDB that runs already");
      const [docker, java, maven, jar] = await Promise.all([
        probeDocker(env, signal),
        probeJava(env, signal),
        probeMaven(env, signal),
        cachedJar(cacheFolder(env), questdb.version),
      ]);
      if (docker.usable && questdb.start !== "java") return ok(`Docker ${docker.version}`);
      if (java.usable && jar !== undefined && questdb.start !== "docker")
        return ok(`Java ${java.version}, with QuestDB ${questdb.version} downloaded`);
      if (java.usable && maven.usable && questdb.start !== "docker")
        return ok(`Java ${java.version}, and Maven ${maven.version} to download QuestDB`);
      const [detail = "", ...advice] = installAdvice(
        relevant(questdb.start, { docker, java, maven }),
        [],
      ).split("\n");
      const todo = advice.findIndex((line) => line.startsWith("Do one"));
      return failure([detail, ...advice.slice(0, todo)].join("\n"), advice.slice(todo).join("\n"));
    },
  };
}

type Tools = Readonly<Record<"docker" | "java" | "maven", Tool>>;

function relevant(start: Config["questdb"]["start"], { docker, java, maven }: Tools) {
  if (start === "docker") return { docker };
  return start === "java" ? { java, maven } : { docker, java, maven };
}
