using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading;
using Callsheet.Core;
using Callsheet.Editor;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>The server as a process of the game; the program is a shell script, but where a server is named.</summary>
    public class ServerProcessTests : PlayingFixture
    {
        private const double PatienceS = 60;

        [Test]
        public void It_tells_where_it_listens_and_ends_with_its_input()
        {
            using (var server = new ServerProcess(Script("echo '{\"url\": \"ws://127.0.0.1:4711\"}'; cat > /dev/null")))
            {
                server.Start(0);
                Until(server, ServerState.Running);
                Assert.That(server.Url, Is.EqualTo("ws://127.0.0.1:4711"));
                Process process = Process.GetProcessById(server.Id);
                server.Stop();
                Assert.That(process.WaitForExit(10000));
                Assert.That(server.State, Is.EqualTo(ServerState.Stopped));
            }
        }

        [Test]
        public void It_gets_the_token_by_its_environment_and_its_old_port_after_a_crash()
        {
            string seen = Path.GetTempFileName();
            string script = Script("echo \"$CALLSHEET_SERVER__GAME_TOKEN $CALLSHEET_SERVER__OBSERVER_TOKEN $*\" >> " + seen
                + "; echo '{\"url\": \"ws://127.0.0.1:4711\"}'; sleep 1");
            using (var server = new ServerProcess(script, "--engine scripted", 1))
            {
                server.Start(0);
                for (double now = 0; server.State != ServerState.Failed; now += 0.5)
                {
                    server.Poll(now);
                    Thread.Sleep(20);
                }
                Assert.That(server.Restarts, Is.EqualTo(1));
                Assert.That(server.Error, Contains.Substring("ended with status 0"));
                Assert.That(server.Token.Length, Is.GreaterThanOrEqualTo(32));
                string[] lines = File.ReadAllLines(seen);
                Assert.That(lines[0], Is.EqualTo(server.Token + " " + server.Token + ".observer serve --child --engine scripted"));
                Assert.That(lines[1], Contains.Substring("serve --child --port 4711 --engine scripted"));
            }
        }

        [Test]
        public void What_it_printed_last_explains_a_failure()
        {
            using (var server = new ServerProcess(Script("echo 'callsheet: the disk is full' >&2; exit 1"), "", 0))
            {
                server.Start(0);
                Until(server, ServerState.Failed);
                Assert.That(server.Error, Contains.Substring("status 1"));
            }
            using (var missing = new ServerProcess("/nowhere/callsheet"))
            {
                missing.Start(0);
                Assert.That(missing.State, Is.EqualTo(ServerState.Failed));
                Assert.That(missing.Error, Contains.Substring("/nowhere/callsheet"));
            }
        }

        [Test]
        public void The_client_connects_where_the_server_listens_and_shows_how_far_the_model_is()
        {
            var owner = new GameObject("Server");
            owner.SetActive(false);
            CallsheetServerProcess component = owner.AddComponent<CallsheetServerProcess>();
            component.Configure(Script("echo '{\"url\": \"ws://127.0.0.1:4711\"}'; cat > /dev/null"));
            float told = -1f;
            component.EngineProgress += message => told = component.Progress;
            owner.SetActive(true);
            CallsheetClient client = CallsheetClient.Instance;
            Assert.That(client.State, Is.EqualTo(Callsheet.Core.SessionState.Stopped), "it waits for the address");
            Frames(() => _connections.Count > 0);
            Assert.That(component.State, Is.EqualTo(ServerState.Running));
            Server.Accept();
            Frame hello = default;
            Frames(() => Server.TryTakeSent(out hello));
            Assert.That(System.Text.Encoding.UTF8.GetString(hello.Data.Array, hello.Data.Offset, hello.Data.Count), Contains.Substring("\"token\":\""));
            Server.SendText("{\"type\":\"engine_progress\",\"phase\":\"download\",\"done_bytes\":3,\"total_bytes\":12}");
            Frames(() => told >= 0f);
            Assert.That(told, Is.EqualTo(0.25f));
            Server.SendText(Rig.WelcomeText());
            Frames(() => client.State == Callsheet.Core.SessionState.Open);
            Assert.That(component.Progress, Is.EqualTo(1f));
            owner.SetActive(false);
            Assert.That(component.State, Is.EqualTo(ServerState.Stopped));
        }

        [TestCase(RuntimePlatform.WebGLPlayer)]
        [TestCase(RuntimePlatform.Android)]
        [TestCase(RuntimePlatform.PS4)]
        public void Where_no_process_can_run_the_console_says_to_host_one(RuntimePlatform platform)
        {
            PropertyInfo where = typeof(Application).GetProperty("platform");
            where.SetValue(null, platform, null);
            try
            {
                CallsheetServerProcess component = new GameObject("Server").AddComponent<CallsheetServerProcess>();
                Assert.That(component.State, Is.EqualTo(ServerState.Failed));
                Assert.That(UnityEngine.Debug.Lines.Last(), Contains.Substring("host one"));
            }
            finally
            {
                where.SetValue(null, RuntimePlatform.LinuxPlayer, null);
            }
        }

        [Test]
        public void A_build_without_a_bundle_says_which_menu_adds_it()
        {
            new GameObject("Server").AddComponent<CallsheetServerProcess>();
            Assert.That(UnityEngine.Debug.Lines.Last(), Contains.Substring("Add server to build"));
        }

        [Test]
        public void The_menu_s_command_and_the_builds_that_take_no_bundle()
        {
            Assert.That(ServerBundle.Command("callsheet", "").Arguments, Is.EqualTo("bundle --out \"Assets/StreamingAssets/callsheet\""));
            Assert.That(ServerBundle.Command("callsheet", "/m.gguf").Arguments, Contains.Substring("--model \"/m.gguf\""));
            Assert.That(ServerBundle.Problem(UnityEditor.BuildTarget.StandaloneWindows64, true), Is.Null);
            Assert.That(ServerBundle.Problem(UnityEditor.BuildTarget.WebGL, false), Is.Null);
            Assert.That(ServerBundle.Problem(UnityEditor.BuildTarget.WebGL, true), Contains.Substring("host a server"));
        }

        private static void Until(ServerProcess server, ServerState state)
        {
            Stopwatch watch = Stopwatch.StartNew();
            while (server.State != state)
            {
                Assert.That(watch.Elapsed.TotalSeconds, Is.LessThan(PatienceS), server.State + " " + server.Error);
                Thread.Sleep(10);
                server.Poll(0);
            }
        }

        private static void Frames(Func<bool> done)
        {
            Stopwatch watch = Stopwatch.StartNew();
            while (!done())
            {
                Assert.That(watch.Elapsed.TotalSeconds, Is.LessThan(PatienceS), string.Join("\n", UnityEngine.Debug.Lines.Select(line => line.ToString()).ToArray()));
                Thread.Sleep(10);
                PlayerLoop.Frame();
            }
        }

        private static string Script(string commands)
        {
            string path = Path.GetTempFileName();
            File.WriteAllText(path, "#!/bin/sh\n" + commands + "\n");
            using (Process change = Process.Start("chmod", "u+x " + path))
            {
                change.WaitForExit();
            }
            return path;
        }
    }
}
