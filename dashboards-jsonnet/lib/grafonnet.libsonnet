// The only import of grafonnet: its version is pinned in jsonnetfile.json and jsonnetfile.lock.json.
import 'github.com/grafana/grafonnet/gen/grafonnet-v11.4.0/main.libsonnet'
