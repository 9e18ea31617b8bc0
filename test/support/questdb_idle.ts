// A process that says it is there and then does nothing until it is killed. Run by tests through questdb_child.ts.
console.log(JSON.stringify({ pid: process.pid }));
setInterval(() => undefined, 60_000);
