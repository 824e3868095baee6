using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Callsheet.Tests
{
    /// <summary>
    /// Compiles C# 9 with the compiler that Unity has, warnings being errors: <c>Roslyn JOB...</c>.
    ///
    /// A job is a file of lines <c>out PATH</c>, <c>reference PATH</c>, <c>define SYMBOL</c> and
    /// <c>source PATH</c>. Prints what the compiler says, and "compiled PATH" for each job that is well.
    /// </summary>
    internal static class Roslyn
    {
        private static void Main(string[] jobs)
        {
            foreach (string job in jobs)
            {
                ILookup<string, string> lines = File.ReadAllLines(job)
                    .Select(line => line.Split(new[] { ' ' }, 2))
                    .ToLookup(parts => parts[0], parts => parts[1]);
                Compile(lines["out"].Single(), lines["reference"], lines["define"], lines["source"]);
            }
        }

        private static void Compile(string target, IEnumerable<string> references, IEnumerable<string> defines, IEnumerable<string> sources)
        {
            var parsing = new CSharpParseOptions(LanguageVersion.CSharp9, DocumentationMode.None, SourceCodeKind.Regular, defines);
            var options = new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, generalDiagnosticOption: ReportDiagnostic.Error, warningLevel: 4);
            CSharpCompilation compilation = CSharpCompilation.Create(
                Path.GetFileNameWithoutExtension(target),
                sources.Select(path => CSharpSyntaxTree.ParseText(SourceText.From(File.ReadAllText(path), Encoding.UTF8), parsing, path)),
                references.Select(path => MetadataReference.CreateFromFile(path)),
                options);
            using (FileStream output = File.Create(target))
            {
                var result = compilation.Emit(output);
                foreach (Diagnostic said in result.Diagnostics.Where(d => d.Severity != DiagnosticSeverity.Hidden))
                {
                    Console.WriteLine(said);
                }
                if (result.Success)
                {
                    Console.WriteLine("compiled " + target);
                }
            }
        }
    }
}
