using System;
using System.Diagnostics;
using System.Threading;
using Callsheet.Core;
using Callsheet.Wire;

namespace Callsheet.Tests
{
    /// <summary>A game that runs its server: takes the program and its arguments, prints what happens.</summary>
    internal static class ServerGame
    {
        private const double PatienceS = 120;
        private static readonly Stopwatch Clock = Stopwatch.StartNew();

        private static int Main(string[] arguments)
        {
            var server = new ServerProcess(arguments[0], arguments[1]);
            server.Start(Now);
            Until("running", server, null, () => server.State == ServerState.Running);
            var options = new SessionOptions { Url = server.Url, Token = server.Token, World = "town" };
            var session = new Session(options, () => new WebSocketTransport());
            int progress = 0;
            session.Received += message => progress += message is EngineProgressMessage ? 1 : 0;
            session.Start();
            Until("open", server, session, () => session.State == SessionState.Open);
            Console.WriteLine("progress " + progress);
            Console.WriteLine("pid " + server.Id);
            Process.GetProcessById(server.Id).Kill();
            Until("lost", server, session, () => session.State != SessionState.Open);
            Until("open again", server, session, () => session.State == SessionState.Open);
            Console.WriteLine("restarts " + server.Restarts);
            Console.WriteLine("pid " + server.Id);
            if (arguments[2] == "stop")
            {
                session.Abort();
                server.Stop(20000);
                Console.WriteLine("stopped");
                return 0;
            }
            Until("killed", server, session, () => false);
            return 1;
        }

        private static double Now => Clock.Elapsed.TotalSeconds;

        private static void Until(string what, ServerProcess server, Session session, Func<bool> done)
        {
            double endS = Now + PatienceS;
            while (!done())
            {
                if (Now > endS)
                {
                    Console.WriteLine("FAILED " + what + ": " + server.State + " " + server.Error + " " + (session == null ? "" : session.State + " " + session.LastError));
                    Environment.Exit(1);
                }
                server.Poll(Now);
                if (session != null)
                {
                    session.Tick(Now);
                }
                Thread.Sleep(10);
            }
            Console.WriteLine(what);
        }
    }
}
