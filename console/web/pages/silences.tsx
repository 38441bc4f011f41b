export function SilencesPage() {
  return <h1>silences</h1>;
}
