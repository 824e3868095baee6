using UnityEngine;

namespace Callsheet.Samples
{
    /// <summary>Ground, light and a camera.</summary>
    internal static class Stage
    {
        internal static void Build(Vector3 eye, Vector3 target)
        {
            GameObject.CreatePrimitive(PrimitiveType.Plane).name = "Ground";
            var sun = new GameObject("Sun");
            sun.transform.LookAt(new Vector3(-1f, -2f, 1f));
            sun.AddComponent<Light>().type = LightType.Directional;
            var camera = new GameObject("Camera");
            camera.AddComponent<Camera>();
            camera.transform.position = eye;
            camera.transform.LookAt(target);
        }
    }
}
