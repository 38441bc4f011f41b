export function SimulatorsPage() {
  return <h1>simulators</h1>;
}
