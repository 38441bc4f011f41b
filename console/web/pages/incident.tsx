export function IncidentPage() {
  return <h1>incident</h1>;
}
