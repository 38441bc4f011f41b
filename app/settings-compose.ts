/** The variables of docker-compose.yml that are no setting of a role: it alone reads them. */

export type ComposeVariable = {
  readonly help: string;
  /** Not without it; env.production.example leaves it empty. */
  readonly needed?: true;
  readonly default?: string;
};

const published = (what: string, port: number): ComposeVariable => ({
  help: `port of this machine for ${what}`,
  default: String(port),
});

export const COMPOSE_VARIABLES: Readonly<Record<string, ComposeVariable>> = {
  POSTGRES_PASSWORD: {
    needed: true,
    help: 'of both databases, which nobody reaches from outside: letters and digits, such as `openssl rand -hex 24` makes',
  },
  GRAFANA_PASSWORD: { needed: true, help: 'of Grafana’s user admin, at its first start' },
  ROUTER_FILES: {
    needed: true,
    help: 'folder with your alertmanager.yml, oncall.yaml and what they name; the router has it as /etc/burnline',
  },
  COMPOSE_PROFILES: {
    help: 'simulated: with simulators and mail catcher (then BURNLINE_VENDORS=simulated); loadtest: k6',
  },
  WORKER_REPLICAS: { help: 'how many workers', default: '2' },
  BIND_ADDRESS: { help: 'address of this machine on which ports are published', default: '127.0.0.1' },
  API_PUBLISHED_PORT: published('the document API', 8080),
  ROUTER_PUBLISHED_PORT: published('the router', 9093),
  PROMETHEUS_PUBLISHED_PORT: published('Prometheus', 9090),
  GRAFANA_PUBLISHED_PORT: published('Grafana', 3000),
  SIMULATORS_PUBLISHED_PORT: published('the simulators', 8025),
  GRAFANA_URL: { help: 'where people reach Grafana', default: 'http://127.0.0.1:3000' },
  PROMETHEUS_RETENTION: { help: 'how long Prometheus keeps samples; budgets are of 28 days', default: '35d' },
  DEPLOYMENT_ENVIRONMENT: { help: 'on every trace, log and metric of the Collector', default: 'production' },
  HOST_NAME: { help: 'name of this machine on the metrics of it: another for each', default: 'burnline' },
  BURNLINE_IMAGE: { help: 'image of the roles; what is not there is built', default: 'burnline:local' },
  BURNLINE_ENV_FILE: { help: 'this file, if it is not .env', default: '.env' },
};
