using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Callsheet.Tests.Runtime")]
