using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Callsheet.Editor")]
[assembly: InternalsVisibleTo("Callsheet.Tests.Runtime")]
