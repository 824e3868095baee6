namespace UnityEngine
{
    public enum LightType
    {
        Spot = 0,
        Directional = 1,
        Point = 2,
        Rectangle = 3,
        Disc = 4,
    }

    public sealed class Light : Behaviour
    {
        public LightType type { get; set; }
    }

    public sealed class Camera : Behaviour
    {
        public static Camera main => FindObjectOfType<Camera>();
    }

    public class Material : Object
    {
    }

    public class Renderer : Component
    {
        public Material sharedMaterial { get; set; }
    }
}

namespace UnityEngine.Rendering
{
    public abstract class RenderPipelineAsset : ScriptableObject
    {
        public virtual Material defaultMaterial => null;
    }

    public sealed class GraphicsSettings
    {
        public static RenderPipelineAsset currentRenderPipeline => null;
    }
}
