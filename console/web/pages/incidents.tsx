export function IncidentsPage() {
  return <h1>incidents</h1>;
}
